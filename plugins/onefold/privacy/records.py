"""Records as the sources gave them, wherever the warehouse has them: staging, its parts, landing, quarantine, …"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from onefold.privacy.tables import WarehouseTable

RecordId = tuple[str, str, str]
"""System, stream and key."""
GoldenId = tuple[str, str]
"""Entity and id of a golden record."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One row with a record. `place` is where in its table it is (ctid), good for this transaction."""

    table: WarehouseTable
    place: str
    record: RecordId
    payload: object = field(repr=False)


def matching_records(
    connection: psycopg.Connection, tables: Iterable[WarehouseTable], pattern: str
) -> Iterator[StoredRecord]:
    """The records whose text the regular expression matches."""
    for table in tables:
        if table.payload:
            yield from _records(
                connection,
                table,
                sql.SQL("{} ~ {}").format(table.as_text(table.payload), sql.Literal(pattern)),
            )


def records_of(
    connection: psycopg.Connection, tables: Iterable[WarehouseTable], wanted: Iterable[RecordId]
) -> Iterator[StoredRecord]:
    """Every row of these records."""
    by_stream = keys_by_stream(wanted)
    for table in tables:
        if table.payload and (condition := is_one_of(table, by_stream)):
            yield from _records(connection, table, condition)


def keys_by_stream(records: Iterable[RecordId]) -> dict[tuple[str, str], list[str]]:
    """The records' keys, by system and stream."""
    found: dict[tuple[str, str], list[str]] = {}
    for system, stream, key in sorted(records):
        found.setdefault((system, stream), []).append(key)
    return found


def is_one_of(table: WarehouseTable, by_stream: Mapping[tuple[str, str], Sequence[str]]) -> sql.Composable | None:
    """The condition that a row of the table is of one of the records; None where none can be."""
    if table.system and table.stream:
        keys = by_stream.get((table.system, table.stream))
        return sql.SQL("_key = any ({}::text[])").format(sql.Literal(list(keys))) if keys else None
    if not table.has_streams:
        return None
    each = [
        sql.SQL("(system = {} and stream = {} and _key = any ({}::text[]))").format(system, stream, sql.Literal(keys))
        for (system, stream), keys in by_stream.items()
    ]
    return sql.SQL("({})").format(sql.SQL(" or ").join(each)) if each else None


def _records(
    connection: psycopg.Connection, table: WarehouseTable, condition: sql.Composable
) -> Iterator[StoredRecord]:
    payload = sql.Identifier(table.payload or "")
    if table.columns[table.payload or ""] == "text":
        payload_json: sql.Composable = sql.SQL("case when pg_input_is_valid({0}, 'jsonb') then {0}::jsonb end").format(
            payload
        )
    else:
        payload_json = payload
    named = sql.SQL("system, stream") if table.has_streams and not table.system else sql.SQL("null, null")
    rows = connection.execute(
        sql.SQL("select ctid::text, {}, _key, {} from only {} where {}").format(
            named, payload_json, table.identifier, condition
        )
    ).fetchall()
    for place, named_system, named_stream, key, content in rows:
        system, stream = table.system or named_system, table.stream or named_stream
        if key is not None and content is not None and system and stream:
            yield StoredRecord(table, place, (system, stream, key), content)
