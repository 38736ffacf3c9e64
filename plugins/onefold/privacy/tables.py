"""The tables of the warehouse that may hold something of a person: all of them, found in PostgreSQL's own catalogue.

So a table that somebody adds tomorrow is searched too. What a table is about (a stream's records, an entity) is read
from its name and columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.reader import Catalog

SCHEMAS = ("landing", "staging", "mapped", "dry_run_staging", "dry_run_mapped", "conformed", "marts", "ops")
"""Where values are looked for and erased."""
EVIDENCE_SCHEMAS = ("audit", "lineage")
"""Where none may ever be: what is written there cannot be changed."""
_TEXT = {"text", "character varying", "character", "json", "jsonb", "text[]", "character varying[]", "jsonb[]"}
_PAYLOADS = ("_payload", "payload")
KEY_COLUMNS = frozenset({"_key", "key", "record", "_record", "records", "_members", "lookup_key", "keys"})
"""Columns that name records; their values are ids, which stay."""
VALUES_OF_GOLDEN_RECORDS = {"ops.outbox": ("sent",), "ops.write_back_plan_row": ("before", "after", "shown")}
"""Tables with a row for each golden record (golden_id) that is written out, and their columns with its values."""
_NOT_SEARCHED = frozenset({"ops.suppression", "ops.erasure", "ops.session"})
"""The registers of erasures themselves, and who is signed in now, which the engine cannot read."""


@dataclass(frozen=True, slots=True)
class WarehouseTable:
    """A table with what is known of its content.

    `system` and `stream` are those of all its records; `entity` the one whose golden or mapped records it holds.
    `columns` are those that can hold text, with their types; `nullable` those that may be null.
    """

    schema: str
    name: str
    columns: Mapping[str, str]
    nullable: frozenset[str]
    every_column: tuple[str, ...]
    system: str | None = None
    stream: str | None = None
    entity: Entity | None = None

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def payload(self) -> str | None:
        """The column with whole records as the source gave them; None where there is none."""
        return next((name for name in _PAYLOADS if name in self.columns and "_key" in self.every_column), None)

    @property
    def has_streams(self) -> bool:
        """Whether each row names the stream that it is of."""
        return {"system", "stream"} <= set(self.every_column)

    def as_text(self, column: str) -> sql.Composable:
        """The column as PostgreSQL writes it; of JSON that was stored as text, without its escapes."""
        name = sql.Identifier(column)
        if self.columns[column] == "text" and column in ("_payload", "raw"):
            return sql.SQL("(case when pg_input_is_valid({0}, 'jsonb') then ({0}::jsonb)::text else {0} end)").format(
                name
            )
        return sql.SQL("{}::text").format(name)


def warehouse_tables(
    connection: psycopg.Connection, catalog: Catalog, schemas: tuple[str, ...] = SCHEMAS
) -> list[WarehouseTable]:
    """Every table of these schemas that has a column which can hold text, the parts of large tables each for itself."""
    found = connection.execute(
        """
        select n.nspname, c.relname,
               array_agg(a.attname::text order by a.attnum), array_agg(format_type(a.atttypid, null) order by a.attnum),
               array_agg(a.attnotnull order by a.attnum)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where n.nspname = any (%s) and c.relkind in ('r', 'm')
            and (n.nspname <> 'audit' or has_table_privilege(c.oid, 'select')) -- the statements' log is not
        group by 1, 2 order by 1, 2
        """,
        (list(schemas),),
    ).fetchall()
    loads = {
        load_id: (system, stream)
        for load_id, system, stream in connection.execute(
            "select load_id, system, stream from ops.load where load_id = any (%s)",
            ([int(name[5:].partition("__")[0]) for _, name, *_ in found if re.match(r"load_\d+", name)],),
        )
    }
    tables = []
    for schema, name, columns, types, required in found:
        text = {column: kind for column, kind in zip(columns, types, strict=True) if kind in _TEXT}
        if not text or f"{schema}.{name}" in _NOT_SEARCHED:
            continue
        system, stream = _stream_of(schema, name, catalog, loads)
        tables.append(
            WarehouseTable(
                *(schema, name, text),
                frozenset(column for column, each in zip(columns, required, strict=True) if not each),
                tuple(columns),
                *(system, stream, _entity_of(schema, name, catalog.entities)),
            )
        )
    return tables


def _stream_of(
    schema: str, name: str, catalog: Catalog, loads: Mapping[int, tuple[str, str]]
) -> tuple[str | None, str | None]:
    if schema == "landing" and (match := re.match(r"load_(\d+)", name)):
        return loads.get(int(match[1]), (None, None))
    if schema in ("staging", "dry_run_staging") and "__" in name:
        system, stream, *_ = name.split("__")
        if system in catalog.systems and stream in catalog.systems[system].streams:
            return system, stream
    return None, None


def _entity_of(schema: str, name: str, entities: Mapping[str, Entity]) -> Entity | None:
    if schema == "conformed":
        base = re.sub(r"_(?:crosswalk_version|version|provenance)$", "", name)
        return entities.get(base)
    if schema in ("mapped", "dry_run_mapped"):
        first, _, second = name.partition("__")
        return entities.get(first) or entities.get(second)
    return None
