"""What a demo leaves behind, without what only says when and by which load: two installations can be compared."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from onefold.catalog.reader import read_systems
from onefold.catalog.system import System
from tests.scheduler.installation import Installation

Query = str | sql.Composed

_QUERIES: Mapping[str, Query] = {
    "conformed.customer": """
        select to_jsonb(c) - '_publish_id' - '_provenance' as row,
            (select jsonb_object_agg(key, value - 'load_id') from jsonb_each(c._provenance)) as provenance
        from conformed.customer c""",
    "conformed.customer_crosswalk": "select system, stream, key, customer_id::text from conformed.customer_crosswalk",
}
_OF_SYSTEM = {
    "ops.quarantine": "select stream, _key, expectation, reason, state from ops.quarantine where system = {}",
    "ops.cursor": "select stream, value from ops.cursor where system = {}",
    "ops.lookup_cache": "select stream, lookup_key, outcome from ops.lookup_cache where system = {}",
}


def tables(installation: Installation) -> Mapping[str, list[str]]:
    """The rows of every table that a user sees, as sorted text. Systems that tell of their changes are left out: each
    demo changes something in them."""
    of_systems = [_queries_of(system) for system in read_systems().values() if system.start == "on_schedule"]
    return _read(installation, {**_QUERIES, **{name: query for each in of_systems for name, query in each.items()}})


def tables_of(installation: Installation, system: str) -> Mapping[str, list[str]]:
    """The rows of every table of one system, as sorted text."""
    return _read(installation, _queries_of(read_systems()[system]))


def _queries_of(system: System) -> Mapping[str, Query]:
    queries = {
        f"{name} of {system.system}": sql.SQL(query).format(sql.Literal(system.system))
        for name, query in _OF_SYSTEM.items()
    }
    for name, stream in system.streams.items():
        table = f"{system.system}__{name}"
        payload: sql.Composable = sql.SQL("_payload")
        for path in stream.volatile:
            payload = sql.SQL("{} #- {}").format(payload, sql.Literal(path.split(".")))
        queries[f"staging.{table}"] = sql.SQL("select _key, {} as payload, _cursor, _deleted from staging.{}").format(
            payload, sql.Identifier(table)
        )
    return queries


def _read(installation: Installation, queries: Mapping[str, Query]) -> Mapping[str, list[str]]:
    with installation.warehouse() as connection:
        return {
            name: sorted(str(sorted(row.items())) for row in connection.execute(query).fetchall())
            for name, query in queries.items()
        }
