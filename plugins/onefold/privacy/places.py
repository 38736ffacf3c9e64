"""Every row of the warehouse that holds something of a person, and what would be erased of it. Nothing is changed here.

Of the person's own records and golden records that is everything personal, by the catalogue; of all other rows the
values by which the person is known, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import psycopg
from psycopg import sql

from onefold.catalog.reader import Catalog
from onefold.errors import Fatal
from onefold.privacy.column_classes import is_personal_column, may_be_personal
from onefold.privacy.law_periods import keeps_column
from onefold.privacy.personal_fields import (
    UNKNOWN_FIELDS,
    Change,
    found_changes,
    own_changes,
    personal_fields,
    whole_changes,
)
from onefold.privacy.records import RecordId, is_one_of, keys_by_stream
from onefold.privacy.subject import Subject
from onefold.privacy.tables import KEY_COLUMNS, VALUES_OF_GOLDEN_RECORDS, WarehouseTable, warehouse_tables
from onefold.privacy.traders import IsNatural, natural_persons, own_fields
from onefold.privacy.values import Finder, erased

ERASED = "[erased]"
"""What stands where nothing may be missing."""


@dataclass(frozen=True, slots=True)
class Place:
    """One row. `at` is where in its table it is (ctid), good for this transaction.

    `changes` are those within JSON columns, `columns` the new values of others; neither holds a value of the person.
    `fields` names what is erased and `kept` what a law keeps, of `record` where the row is one of a source, until the
    end of that day; None: its date is not known.
    """

    table: WarehouseTable
    at: str
    own: bool
    changes: Mapping[str, Sequence[Change]]
    columns: Mapping[str, str | list[str] | None]
    fields: frozenset[str]
    kept: frozenset[str] = field(default=frozenset())
    record: RecordId | None = None
    kept_until: date | None = None


def find_places(
    connection: psycopg.Connection,
    catalog: Catalog,
    subject: Subject,
    tables: Sequence[WarehouseTable] | None = None,
    finder: Finder | None = None,
) -> Iterator[Place]:
    """Every row that holds something of the person, table by table (of all, or of those given).

    With a `finder`, of whomever it finds; then every row is looked at here: PostgreSQL does not know what to look for.
    Raises Fatal where a value of the person is the key of a record, which cannot be erased in place.
    """
    pattern = None if finder else subject.known.sql_pattern
    for table in tables if tables is not None else warehouse_tables(connection, catalog):
        yield from _places(connection, catalog, subject, table, finder or subject.known, pattern)


def find_places_again(
    connection: psycopg.Connection, catalog: Catalog, subject: Subject, places: Iterable[Place]
) -> Iterator[Place]:
    """What is at these places now: they were found in another transaction. No other row is looked at."""
    by_table: dict[str, list[Place]] = {}
    for place in places:
        by_table.setdefault(place.table.full_name, []).append(place)
    for found in by_table.values():
        at = [place.at for place in found]
        yield from _places(connection, catalog, subject, found[0].table, subject.known, subject.known.sql_pattern, at)


def _places(
    connection: psycopg.Connection,
    catalog: Catalog,
    subject: Subject,
    table: WarehouseTable,
    finder: Finder,
    pattern: str | None,
    among: Sequence[str] | None = None,
) -> Iterator[Place]:
    natural = natural_persons(connection)
    for at, is_own, row in _rows(connection, table, _own_condition(table, subject), pattern, among):
        place = _place(table, catalog, natural, at, is_own, row, finder)
        if place.fields or place.kept:
            yield place


def _rows(
    connection: psycopg.Connection,
    table: WarehouseTable,
    own: sql.Composable | None,
    pattern: str | None,
    among: Sequence[str] | None,
) -> Iterator[tuple[str, bool, dict[str, object]]]:
    condition = own or sql.SQL("false")
    conditions = [condition]
    if pattern is None:
        conditions = [sql.SQL("true")]
    elif pattern:
        conditions += [
            sql.SQL("{} ~ {}").format(table.as_text(column), sql.Literal(pattern)) for column in table.columns
        ]
    elif own is None:
        return
    # Columns of other types cannot be searched; what is personal of the person's own rows goes whatever its type, and
    # a law's period is over by a date.
    every = own or table.entity
    wanted = (
        list(table.every_column) if every else [*table.columns, *(("system", "stream") if table.has_streams else ())]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("select ctid::text, {} as own, {} from only {} where {}({})").format(
                sql.SQL("coalesce({}, false)").format(condition),
                sql.SQL(", ").join(_selected(table, column) for column in wanted),
                table.identifier,
                sql.SQL("") if among is None else sql.SQL("ctid = any ({}::tid[]) and ").format(list(among)),
                sql.SQL(" or ").join(conditions),
            )
        )
        for at, is_own, *values in cursor:
            yield at, is_own, dict(zip(wanted, values, strict=True))


def _selected(table: WarehouseTable, column: str) -> sql.Composable:
    name = sql.Identifier(column)
    return name if column in table.columns else sql.SQL("{}::text").format(name)


def _own_condition(table: WarehouseTable, subject: Subject) -> sql.Composable | None:
    """Whether a row is of one of the person's own records or golden records; None where none can be."""
    by_stream = keys_by_stream(subject.records)
    if "_key" in table.every_column and (condition := is_one_of(table, by_stream)):
        return condition
    if table.full_name in VALUES_OF_GOLDEN_RECORDS:
        ids = sorted(found for _, found in subject.golden)
        return sql.SQL("(golden_id::text = any ({}::text[]))").format(sql.Literal(ids)) if ids else None
    if table.entity is None:
        return None
    names = ["|".join(record) for record in sorted(subject.records)]
    own: list[sql.Composable] = [
        sql.SQL("{} = any ({}::text[])").format(sql.Identifier(column), sql.Literal(names))
        for column in ("record", "_record")
        if column in table.every_column
    ]
    golden_id = f"{table.entity.entity}_id"
    golden = sorted(found for entity, found in subject.golden if entity == table.entity.entity)
    if golden_id in table.every_column and golden:
        own.append(sql.SQL("{}::text = any ({}::text[])").format(sql.Identifier(golden_id), sql.Literal(golden)))
    return sql.SQL("({})").format(sql.SQL(" or ").join(own)) if own else None


def _place(
    table: WarehouseTable,
    catalog: Catalog,
    natural: IsNatural,
    at: str,
    own: bool,
    row: Mapping[str, object],
    finder: Finder,
) -> Place:
    system, stream = table.system or row.get("system"), table.stream or row.get("stream")
    known = isinstance(system, str) and isinstance(stream, str) and system in catalog.systems
    streams = catalog.systems[str(system)].streams if known else {}
    fields = personal_fields(streams[str(stream)]) if stream in streams else None
    changes: dict[str, Sequence[Change]] = {}
    columns: dict[str, str | list[str] | None] = {}
    named: set[str] = set()
    kept: set[str] = set()
    record, kept_until = None, None
    for column, value in row.items():
        kind = table.columns.get(column)
        if value in (None, ERASED):
            continue
        if column == table.payload and kind in ("json", "jsonb", "text"):
            payload = _parsed(connection_text=value, kind=kind)
            if own and fields:
                company = own_fields(catalog.entities, natural, streams[str(stream)], f"{system}.{stream}", payload)
                fields = personal_fields(streams[str(stream)], company)
            known_fields = fields or UNKNOWN_FIELDS
            erasing, keeping = (
                own_changes(payload, known_fields, finder)
                if own and fields
                else found_changes(payload, known_fields, finder)
            )
            if erasing:
                changes[column] = erasing
                named |= {known_fields.name(change.path) for change in erasing}
            if keeping:
                kept |= {known_fields.name(path) for path in keeping}
                kept_until = known_fields.kept_until(payload)
                record = (str(system), str(stream), str(row["_key"])) if row.get("_key") is not None else None
        elif own and is_personal_column(table, fields, natural, column, row):
            if keeps_column(table, catalog, column, row):
                kept.add(column)
            else:
                columns[column] = None if column in table.nullable else ERASED
                named.add(column)
        elif kind is None:
            continue
        elif kind in ("json", "jsonb"):
            if own and column in VALUES_OF_GOLDEN_RECORDS.get(table.full_name, ()):
                erasing = whole_changes(value)
            else:
                erasing, _ = found_changes(value, UNKNOWN_FIELDS, finder)
            if erasing:
                changes[column] = erasing
                named.add(column)
        else:
            _found(table, catalog, column, row, own, finder, columns, named, kept)
    return Place(table, at, own, changes, columns, frozenset(named), frozenset(kept), record, kept_until)


def _found(
    table: WarehouseTable,
    catalog: Catalog,
    column: str,
    row: Mapping[str, object],
    own: bool,
    finder: Finder,
    columns: dict[str, str | list[str] | None],
    named: set[str],
    kept: set[str],
) -> None:
    """What a column of text, or of texts, holds of the values by which the person is known."""
    value = row[column]
    texts = value if isinstance(value, list) else [value]
    personal = column not in KEY_COLUMNS and (own or may_be_personal(table, column))
    spans = [finder.find(str(text), personal=personal) if text is not None else [] for text in texts]
    if not any(spans):
        return
    if column in KEY_COLUMNS:
        raise Fatal(
            f"A value of the person is the key of a record ({table.full_name}, column {column}). Keys cannot be erased "
            "in place: give the stream another primary_key, load it anew, and start the erasure again."
        )
    if keeps_column(table, catalog, column, row):
        kept.add(column)
        return
    named.add(column)
    left = [erased(str(text), found) if found else text for text, found in zip(texts, spans, strict=True)]
    if column == "raw":  # a record that could not be read: nobody can say what else in it is the person's
        columns[column] = ERASED
    elif isinstance(value, list):
        columns[column] = [text or ERASED for text in left]
    else:
        columns[column] = left[0] if left[0] is not None or column in table.nullable else ERASED


def _parsed(*, connection_text: object, kind: str) -> object:
    if kind != "text":
        return connection_text
    import json

    try:
        return json.loads(str(connection_text))
    except ValueError:
        return None


def places_among(
    connection: psycopg.Connection, catalog: Catalog, scope: Subject, own: Collection[RecordId], finder: Finder
) -> Iterator[Place]:
    """What the finder finds in the rows of the scope's records and golden records; of `own` ones all personal."""
    names, natural = {"|".join(record) for record in own}, natural_persons(connection)
    for table in warehouse_tables(connection, catalog):
        if condition := _own_condition(table, scope):
            for at, _, row in _rows(connection, table, condition, "", None):
                record = (table.system or row.get("system"), table.stream or row.get("stream"), row.get("_key"))
                is_own = record in own or not names.isdisjoint({row.get("record"), row.get("_record")})
                place = _place(table, catalog, natural, at, is_own, row, finder)
                if place.fields:
                    yield place
