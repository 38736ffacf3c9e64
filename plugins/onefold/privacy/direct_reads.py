"""Who read personal columns past `onefold sql`: what PostgreSQL counted of readers' statements is put into the chain.

PostgreSQL counts by role and statement (warehouse/statement_statistics.py), the functions of 13_statement_reads.sql
take who and how often from it, and here is told what each statement reads. A statement that has no plan here, because
its tables are gone or were temporary, is recorded as one of which the columns are not known.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import psycopg
from psycopg.types.json import Jsonb

from onefold.catalog.reader import Catalog
from onefold.errors import OnefoldError
from onefold.privacy.personal_columns import personal_columns
from onefold.warehouse.advisory_lock import advisory_lock
from onefold.warehouse.connection import connect
from onefold.warehouse.read_columns import ALL, SCHEMAS, ReadColumn, planned_columns
from onefold.warehouse.rows import one_row
from onefold.warehouse.statement_query import query_of
from onefold.warehouse.statement_text import LONGEST, statement_hash, without_values

log = logging.getLogger(__name__)

MOST_COLUMNS = 200
"""So many columns of one statement are named in its event."""
_BATCH = 500
_COUNTED = "select role, query_id, top_level, text, shown from audit.direct_reads(%s)"
_PARAMETER = re.compile(r"(?<![\w$])\$\d+")
_LOAD = re.compile(r"load_[0-9]+")
_NAMED = re.compile(rf'\b({"|".join(SCHEMAS)})"?\s*\.\s*"?([A-Za-z_][\w$]*)')


def collect_direct_reads(url: str, catalog: Catalog, actor: str) -> int:
    """Record what was read since the last time, as the loader; returns how many events that made.

    What PostgreSQL has forgotten meanwhile is recorded too, as a gap. Where it does not count statements there is
    nothing to record. Raises Retriable when another process does the same, psycopg.Error when the warehouse refuses.
    """
    with connect(url, autocommit=True) as connection:
        connection.prepare_threshold = None
        with advisory_lock(connection, "direct reads", busy="Direct reads are being recorded. Try again."):
            if not one_row(connection.execute("select audit.begin_direct_reads(%s)", (actor,)))[0]:
                return 0
            return sum(_batches(connection, catalog))


def try_to_collect_direct_reads(url: str, catalog: Catalog, actor: str) -> None:
    """As collect_direct_reads(), after something else that is done: what fails is logged, and recorded by the next."""
    try:
        collect_direct_reads(url, catalog, actor)
    except (OnefoldError, psycopg.Error) as error:
        reason = f"SQLSTATE {error.sqlstate}" if isinstance(error, psycopg.Error) else str(error)
        log.warning("Direct reads were not recorded (%s). The next run tries again.", reason)


def _batches(connection: psycopg.Connection, catalog: Catalog) -> Iterator[int]:
    while True:
        counted = connection.execute(_COUNTED, (_BATCH,))
        said = [
            {"role": role, "query_id": query_id, "top_level": top_level, "reads": _reads(connection, catalog, *read)}
            for role, query_id, top_level, *read in counted.fetchall()
        ]
        if said:
            yield int(one_row(connection.execute("select audit.record_direct_reads(%s)", (Jsonb(said),)))[0])
        if len(said) < _BATCH:
            return


def _reads(connection: psycopg.Connection, catalog: Catalog, statement: str, shown: bool) -> dict[str, object] | None:
    """What the statement reads, for its event; None where that is nothing personal. `shown` is whether its reader may
    have seen what views hide."""
    query = query_of(statement)
    if query is None:
        return None
    columns = planned_columns(connection, query, shown=shown)
    text = without_values(_PARAMETER.sub("?", statement))
    # Of a statement without a plan, the tables that it names.
    read = columns if columns is not None else _named_tables(connection, text)
    personal = sorted(personal_columns(read, catalog))
    if columns is not None and not personal:
        return None
    return {
        "sha256": statement_hash(text).hex(),
        "text": text[:LONGEST],
        "columns_known": columns is not None,
        "personal_columns": [f"{each.schema}.{each.table}.{each.column}" for each in personal[:MOST_COLUMNS]],
    }


def _named_tables(connection: psycopg.Connection, text: str) -> set[ReadColumn]:
    """The tables that stand in a statement. The chain keeps them for ever, so it gets no name that somebody made up: a
    table that is not there is ?, or the load's of which landing had it."""
    named = set(_NAMED.findall(text))
    there = connection.execute(
        "select n.nspname, c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname || '.' || c.relname = any (%s)",
        ([f"{schema}.{table}" for schema, table in named],),
    ).fetchall()
    known = {(schema, table) for schema, table in there}
    return {
        ReadColumn(schema, table if (schema, table) in known else _load_of(schema, table), ALL)
        for schema, table in named
    }


def _load_of(schema: str, table: str) -> str:
    load = _LOAD.match(table) if schema == "landing" else None
    return load[0] if load else "?"
