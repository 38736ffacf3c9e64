"""Companies that appear in four systems, as published loads leave them in staging."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

from onefold.catalog.reader import read_catalog
from onefold.load.staging import CHILD_TABLE_ROWS, attach_child_table, ensure_all_staging, ensure_key_index
from onefold.warehouse.tables import LandingTables, StagingTable

STREAMS = ("krs.extract", "regon.entity", "salesforce.account", "sap.business_partner")
_HERE = Path(__file__).parent


def fill(url: str, connection: psycopg.Connection, companies: int) -> None:
    """Publish a first load of each stream: every company is in all four."""
    ensure_all_staging(url, read_catalog())
    connection.execute(_sql("company", rows=companies))
    for stream in STREAMS:
        _load(connection, stream, 0, "true")
    _settle(connection)


def change(connection: psycopg.Connection, share: int = 100) -> None:
    """Publish a second load of each stream, in which one record in `share` changed: in each stream other companies'."""
    for place, stream in enumerate(STREAMS):
        _load(connection, stream, 1, f"n % {share} = {place}")
    _settle(connection)


def _load(connection: psycopg.Connection, stream: str, version: int, which: str) -> None:
    system, _, name = stream.partition(".")
    load_id = connection.execute(
        "insert into ops.load (system, stream, window_start, window_end, state, verdict, dag_id, run_id, actor,"
        " ended_at) values (%s, %s, '2026-01-01', '2026-01-02', 'published', 'passed', 'bench', 'bench', 'os:bench',"
        " now()) returning load_id",
        (system, name),
    ).fetchone()[0]
    staging, landing, table = StagingTable(system, name), LandingTables(load_id), stream.replace(".", "__")
    records = sql.SQL(
        """select _key collate "C" as _key, decode(md5(_payload::text), 'hex') as _hash, _payload,
            _cursor collate "C" as _cursor, false as _deleted, {}::bigint as _load_id, now() as _extracted_at,
            false as _known from ({} where {}) as records"""
    ).format(sql.Literal(load_id), _sql(table, version=version), sql.SQL(which))
    connection.execute(sql.SQL("create table {} as {}").format(landing.candidate, records))
    written = connection.execute(sql.SQL("select count(*) from {}").format(landing.candidate)).fetchone()[0]
    if written >= CHILD_TABLE_ROWS:
        attach_child_table(connection, staging, landing)
    else:
        connection.execute(sql.SQL("alter table {} drop column _known").format(landing.candidate))
        connection.execute(sql.SQL("insert into {} table {}").format(staging.versions, landing.candidate))
        connection.execute(sql.SQL("drop table {}").format(landing.candidate))
        ensure_key_index(connection, staging)
    kind = "rows_changed" if version else "rows_new"
    connection.execute(
        sql.SQL("update ops.load set rows_read = {0}, {1} = {0} where load_id = {2}").format(
            sql.Literal(written), sql.Identifier(kind), sql.Literal(load_id)
        )
    )


def _settle(connection: psycopg.Connection) -> None:
    """What autovacuum does some minutes after a load."""
    for stream in STREAMS:
        connection.execute(sql.SQL("vacuum analyze {}").format(sql.Identifier("staging", stream.replace(".", "__"))))


def _sql(name: str, **given: int) -> sql.Composed:
    text = (_HERE / f"{name}.sql").read_text(encoding="utf-8")
    return sql.SQL(text).format(**{key: sql.Literal(value) for key, value in given.items()})
