"""Late readings passed no gate, because they were not written. They must pass it before a rollback writes them.

The gate uses the suite and the mapping as they are now.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.load import ledger
from onefold.load.gate_step import record_verdict
from onefold.quality.gate import evaluate_suite
from onefold.quality.suite import FOLDER, read_suite
from onefold.quality.typed import make_typed
from onefold.quality.withholding import withholding_of
from onefold.rollback.stream_change import StreamChange


def gate_late_readings(
    connection: psycopg.Connection,
    url: str,
    change: StreamChange,
    entities: Mapping[str, Entity],
    suites: Path = FOLDER,
) -> int:
    """Gate what the loads from the change's first one on read late; returns how many readings that were.

    Only the verdict is written (staging.superseded). The connection must be in autocommit: Great Expectations reads
    through another one.
    """
    loads = connection.execute(
        "select distinct _load_id from staging.superseded"
        " where system = %s and stream = %s and _load_id >= %s and not gated order by 1",
        (change.system, change.stream_name, change.first_load),
    ).fetchall()
    return sum(_gate_load(connection, url, change, entities, suites, load_id) for (load_id,) in loads)


def _gate_load(
    connection: psycopg.Connection,
    url: str,
    change: StreamChange,
    entities: Mapping[str, Entity],
    suites: Path,
    load_id: int,
) -> int:
    load = ledger.get(connection, load_id)
    names = {
        "candidate": load.tables.candidate,
        "refused": load.tables.refused,
        "system": sql.Literal(change.system),
        "stream": sql.Literal(change.stream_name),
        "load": sql.Literal(load_id),
    }
    suite = read_suite(change.table.name, suites)
    try:
        connection.execute(sql.SQL("drop table if exists {candidate}").format(**names))
        connection.execute(
            sql.SQL(
                """
                create unlogged table {candidate} as
                select _key, _cursor, _deleted, _hash, _extracted_at, _payload, _load_id, null::jsonb as _withheld,
                       false as _known
                from staging.superseded
                where system = {system} and stream = {stream} and _load_id = {load} and not gated
                """
            ).format(**names)
        )
        withholding = withholding_of(change.stream, change.name, entities)
        typed = make_typed(connection, load.tables, change.stream, withholding, suite)
        findings = evaluate_suite(url, "landing", load.tables.typed_name, suite)
        record_verdict(connection, load, change.stream, suite, typed, findings, withholding, entities)
        return connection.execute(
            sql.SQL(
                """
                update staging.superseded a set gated = true, suite = r.suite, expectation = r.expectation,
                    reason = r.reason, _withheld = c._withheld
                from {candidate} c left join (
                    select _key, min(suite) as suite, string_agg(distinct expectation, ', ') as expectation,
                           string_agg(distinct reason, '; ') as reason
                    from {refused} group by _key
                ) r on r._key = c._key
                where a.system = {system} and a.stream = {stream} and a._load_id = {load} and a._key = c._key
                """
            ).format(**names)
        ).rowcount
    finally:
        if not connection.closed:
            ledger.discard_landing(connection, load.tables)
