"""Values of a class that is kept for less time than the rows that hold them: erased in place, and the rows stay.

What is replaced, and who may still need it, is what retention/staging.py says; only the period is another one. Keys,
cursors and what a law keeps of the record are never touched. A row of which something was erased gets the fingerprint
of what is left, as by an erasure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.fields import PersonalClass
from onefold.catalog.stream import Stream
from onefold.privacy import law_periods
from onefold.privacy.personal_fields import Path, class_places, personal_fields
from onefold.retention.purge import RowPurge, Store, make_purge

# Of the rows that may be due first those are left that hold something at the places, which is quick to tell; OFFSET 0
# keeps PostgreSQL from asking the function about all others too.
_DUE = """
select {ids}, changes from (
    select {ids}, ops.values_at(record, {places}, case when {law_holds} then {lawful} else {spared} end) as changes
    from (select past.* from ({rows}) past where {may_hold} offset 0) past
) held where changes <> '[]'
"""
_ERASE = """
update {table} held set {payload} = ops.erase_paths(held.{payload}, d.changes),
    _hash = ops.erased_hash(ops.erase_paths(held.{payload}, d.changes), {deleted})
from ({due} limit {batch}) d where ({held_ids}) = ({due_ids})
"""


def class_purge(
    store: Store,
    subject: str,
    stream: Stream,
    name: PersonalClass,
    period: timedelta,
    *,
    table: sql.Identifier,
    payload: str,
    deleted: sql.SQL,
    ids: Sequence[str],
    rows: sql.Composable,
    all_rows: sql.Composable,
) -> RowPurge | None:
    """The purge of one class from what `rows` gives, which are those that are past the period: the `ids` of a row of
    the table, and its content as `record`. `deleted` is SQL that says of a row, held, whether it is a deletion. None
    where no field of the class may be erased."""
    places = class_places(stream, name)
    if not places:
        return None
    fields = personal_fields(stream)
    names: dict[str, sql.Composable] = {
        "ids": _columns("", ids),
        "held_ids": _columns("held.", ids),
        "due_ids": _columns("d.", ids),
        "rows": rows,
        "all_rows": all_rows,
        "table": table,
        "payload": sql.Identifier(payload),
        "deleted": deleted,
        "places": _places(places),
        "spared": _places(fields.technical),
        "lawful": _places((*fields.technical, *fields.lawful)),
        "law_holds": law_holds(_text_at(fields.law_since), fields.law_years) if fields.lawful else sql.SQL("false"),
        "may_hold": sql.SQL(" or ").join(_may_hold(place) for place in places),
    }
    return make_purge(store, subject, period, "{all_rows}", _DUE, _ERASE, names, name)


def _columns(prefix: str, names: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.SQL(prefix + "{}").format(sql.Identifier(name)) for name in names)


def _places(places: Sequence[Path]) -> sql.Composable:
    return sql.SQL("{}::jsonb").format(Jsonb([list(place) for place in places]))


def _may_hold(place: Path) -> sql.Composable:
    """Whether there is anything at the place, or at its part before the first step that may be any."""
    known = place[: place.index("*")] if "*" in place else place
    return sql.SQL("coalesce(record #> {}::text[], 'null') <> 'null'").format(list(known))


def _text_at(place: Path) -> sql.Composable:
    return sql.SQL("record #>> {}::text[]").format(list(place))


def law_holds(since: sql.Composable, years: int) -> sql.Composable:
    """Whether a law still keeps what it keeps, by the text of the day from which its years count: as law_periods."""
    return sql.SQL("coalesce(substring({} from '^((?:19|20)[0-9][0-9])-')::int + {} >= {}, true)").format(
        since, sql.Literal(years), sql.Literal(law_periods.today().year)
    )
