"""What waits in quarantine, records and withheld values alike, as a replay would select it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.catalog.system import System
from onefold.insight.page import Page, bounded, page_of
from onefold.replay.selection import MATCHES, Selection, selection_parameters, why_no_replay


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that wait for the same reason. `attribute` (entity.attribute): they are values withheld from published
    records; None: whole records."""

    system: str
    stream: str
    suite: str
    expectation: str
    reason: str
    attribute: str | None
    rows: int
    oldest: datetime
    newest: datetime

    @property
    def text(self) -> str:
        """What selects these rows, and none of another reason, as the expectation of a selection."""
        return " ".join(each for each in (self.expectation, self.reason, self.attribute) if each)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the quarantine, without its content; `key` names its record in the source."""

    quarantine_id: int
    system: str
    stream: str
    key: str | None
    load_id: int
    suite: str
    expectation: str
    reason: str
    attribute: str | None
    value_kind: str | None
    state: str
    mapping_versions: Mapping[str, int] | None
    unreadable: bool
    key_conflict: bool
    quarantined_at: datetime
    closed_at: datetime | None
    closed_by_load: int | None
    dag_id: str
    run_id: str

    def why_not(self, systems: Mapping[str, System]) -> str | None:
        """Why it cannot be replayed; None when it can."""
        return why_no_replay(
            self.system, self.stream, systems, unreadable=self.unreadable, key_conflict=self.key_conflict
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many records wait, and how many values are withheld."""

    records: int
    values: int


_GROUPS = sql.SQL(
    """
    select system, stream, suite, expectation, reason, attribute, count(*) as rows,
           min(quarantined_at) as oldest, max(quarantined_at) as newest
    from ops.quarantine q where {}
    group by 1, 2, 3, 4, 5, 6 order by attribute is not null, rows desc, 1, 2, 4, 5, 6 limit %(limit)s
    """
)
_OF_LOAD = _GROUPS.format(sql.SQL("q.load_id = %(load)s and q.state = 'open'"))
_GROUPS_OF_SELECTION = _GROUPS.format(MATCHES)
_COUNTS = sql.SQL(
    "select count(*) filter (where attribute is null) as records, count(attribute) as values"
    " from ops.quarantine q where {}"
).format(MATCHES)
_ROWS = sql.SQL(
    """
    select quarantine_id, q.system, q.stream, _key as key, q.load_id, suite, expectation, reason, attribute, value_kind,
           q.state, mapping_versions, unreadable, key_conflict, quarantined_at, closed_at, closed_by_load,
           l.dag_id, l.run_id
    from ops.quarantine q join ops.load l using (load_id) where {}
    order by quarantine_id desc limit %(limit)s
    """
)
_PAGE = _ROWS.format(sql.SQL("{} and (%(before)s::bigint is null or quarantine_id < %(before)s)").format(MATCHES))
_ONE = _ROWS.format(sql.SQL("quarantine_id = %(row)s"))


def waiting(connection: psycopg.Connection, selection: Selection, systems: Mapping[str, System]) -> Waiting:
    """All that is selected, counted."""
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        found = cursor.execute(_COUNTS, selection_parameters(selection, systems)).fetchone()
    return found or Waiting(0, 0)


def groups(
    connection: psycopg.Connection, selection: Selection, systems: Mapping[str, System], limit: int = 100
) -> Sequence[Group]:
    """What is selected by reason: records first, of each kind the most frequent first; `limit` of them."""
    given = {**selection_parameters(selection, systems), "limit": bounded(limit)}
    with connection.cursor(row_factory=class_row(Group)) as cursor:
        return cursor.execute(_GROUPS_OF_SELECTION, given).fetchall()


def groups_of_load(connection: psycopg.Connection, load_id: int, limit: int = 20) -> Sequence[Group]:
    """What one load has brought into quarantine and still waits there, by reason, as `groups` orders it."""
    with connection.cursor(row_factory=class_row(Group)) as cursor:
        return cursor.execute(_OF_LOAD, {"load": load_id, "limit": bounded(limit)}).fetchall()


def rows(
    connection: psycopg.Connection,
    selection: Selection,
    systems: Mapping[str, System],
    *,
    before: int | None = None,
    limit: int = 50,
) -> Page[Row]:
    """What is selected, the newest first. Raises Fatal when the limit is out of range."""
    given = {**selection_parameters(selection, systems), "before": before, "limit": bounded(limit) + 1}
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        found = cursor.execute(_PAGE, given).fetchall()
    return page_of(found, limit, lambda row: row.quarantine_id)


def row(connection: psycopg.Connection, quarantine_id: int) -> Row | None:
    """One row, also when it waits no more; None when there is none of this number."""
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(_ONE, {"row": quarantine_id, "limit": 1}).fetchone()
