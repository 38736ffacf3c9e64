"""What the warehouse holds of one stream, in the truth's words, and whether that is what the truth says."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from psycopg import sql

from onefold.load.staging import ensure_staging
from onefold.warehouse.connection import connect
from onefold.warehouse.tables import StagingTable
from tests.load.shop import MORNING, at
from tests.operations.truth import Counts, RowId, Said, Truth


class Seen:
    """The stream's tables, quarantine, ledger and cursor. names_go: retention takes customers' names from replaced
    versions and closed rows, and leaves these. of_log: the cursor is a position in a log, and only the record itself
    says of which minute it is; so what is deleted, and has no content any more, does not."""

    def __init__(self, url: str, table: StagingTable, *, names_go: bool = False, of_log: bool = False) -> None:
        self._table = table
        self._of_log = of_log
        self._names_go = names_go
        self._gone: set[tuple] = set()
        self._connection = connect(url, autocommit=True)
        ensure_staging(self._connection, table)

    def close(self) -> None:
        """Nothing more is looked at."""
        self._connection.close()

    def agrees_with(self, truth: Truth) -> None:
        """Staging, quarantine, ledger and cursor are what the truth says."""
        visible, final = truth.visible, truth.final
        versions = {
            (key, number): self._without_content(read.said) if number <= final else read.said
            for key, held in visible.versions.items()
            for number, read in held
        }
        newest = {
            (key, max(number for number, _ in held if number <= final))
            for key, held in visible.versions.items()
            if held[0][0] <= final
        }
        agree(self._versions(final), versions, {at for at in versions if at[1] > final or at in newest})
        current = self._query("select count(*), count(distinct _key) from {current}")
        assert current == [(len(visible.versions), len(visible.versions))]
        rows = {
            at: (row.read.said, _state(row.closed_by, row.replayed), row.closed_by) for at, row in visible.rows.items()
        }
        kept = {at for at, row in visible.rows.items() if row.closed_by is None or max(at.load, row.closed_by) > final}
        agree(self._rows(), rows, kept)
        if self._names_go:
            self._names_agree(final)
        counts = {number: (truth.loads[number].rows_read, counts) for number, counts in visible.counts.items()}
        agree(self._counts(), counts, {number for number in counts if number > final})
        if not self._of_log:
            self._cursor_agrees(truth)
        unsound = self._query(
            "select selected, published, superseded, refused from ops.replay join ops.replay_row using (replay_id)"
            " join ops.quarantine using (quarantine_id) where stream = {stream}"
            " and (ended_at is null or selected <> published + superseded + refused)"
        )
        assert unsound == []

    def _cursor_agrees(self, truth: Truth) -> None:
        cursor = None if truth.cursor is None else at(truth.cursor)
        assert self._query("select value from ops.cursor where stream = {stream} and value is not null") == (
            [(cursor,)] if cursor else []
        )

    def _names_agree(self, final: int) -> None:
        """No name has gone from what is current, waits, or a rollback may need; and none comes back."""
        without = set(
            self._query(
                "select _key, _load_id, 'version' from {versions} v where _payload ->> 'name' is null and not _deleted"
                " union all select _key, load_id, 'row' from ops.quarantine"
                " where stream = {stream} and payload ->> 'name' is null"
            )
        )
        needed = set(
            self._query(
                "select _key, _load_id, 'version' from {current} union all select _key, load_id, 'row'"
                " from ops.quarantine where stream = {stream} and state = 'open'"
            )
        )
        there = set(
            self._query(
                "select _key, _load_id, 'version' from {versions} union all select _key, load_id, 'row'"
                " from ops.quarantine where stream = {stream}"
            )
        )
        assert without & needed == set()
        assert all(number <= final for _, number, _ in without)
        assert without >= self._gone & there
        self._gone |= without

    def _versions(self, final: int) -> dict[tuple[str, int], Said]:
        found = self._query("select _key, _load_id, {minute}, _payload -> 'credit', _deleted from {versions}")
        said = {(key, number): _said(*content) for key, number, *content in found}
        assert len(said) == len(found)
        return {at: self._without_content(each) if at[1] <= final else each for at, each in said.items()}

    def _without_content(self, said: Said) -> Said:
        """Of what is deleted, retention leaves the sign of it."""
        if not said.deleted:
            return said
        return said._replace(credit=0, minute=0 if self._of_log else said.minute)

    def _rows(self) -> dict[RowId, tuple[Said, str, int | None]]:
        found = self._query(
            "select load_id, _key, {row_minute}, payload -> 'credit', false, state, closed_by_load from ops.quarantine"
            " where stream = {stream} and state <> 'rolled_back'"
        )
        rows = {RowId(number, key): (_said(*content), state, closer) for number, key, *content, state, closer in found}
        assert len(rows) == len(found)
        return rows

    def _counts(self) -> dict[int, tuple[int, Counts]]:
        found = self._query(
            "select load_id, rows_read, rows_new, rows_changed, rows_deleted, rows_quarantined from ops.load"
            " where stream = {stream} and state = 'published'"
        )
        return {number: (read, Counts(*counts)) for number, read, *counts in found}

    def current(self) -> dict[str, Said]:
        """What the source has, as staging says."""
        found = self._query("select _key, {minute}, _payload -> 'credit', _deleted from {current} where not _deleted")
        return {key: _said(*content) for key, *content in found}

    def _query(self, text: str) -> list[tuple]:
        names = {
            "versions": self._table.versions,
            "current": self._table.current,
            "stream": sql.Literal(self._table.stream),
            "minute": sql.SQL("_payload ->> 'changed'" if self._of_log else "_cursor"),
            "row_minute": sql.SQL("payload ->> 'changed'" if self._of_log else "_cursor"),
        }
        return self._connection.execute(sql.SQL(text).format(**names)).fetchall()


def agree(found: Mapping, expected: Mapping, kept: AbstractSet) -> None:
    """Nothing else is there, and all that is kept."""
    assert {at: value for at, value in expected.items() if at in found or at in kept} == found


def _said(minute: str | None, credit: int, deleted: bool) -> Said:
    since = datetime.fromisoformat(minute) - MORNING if minute else timedelta()
    return Said(int(since.total_seconds() // 60), credit, deleted)


def _state(closed_by: int | None, replayed: bool) -> str:
    return "open" if closed_by is None else "replayed" if replayed else "superseded"
