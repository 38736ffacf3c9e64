"""What a demo leaves behind, without what only says when and by which load: two installations can be compared."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from onefold.catalog.reader import read_systems
from tests.scheduler.installation import Installation

_QUERIES = {
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
    """The rows of every table that a user sees, as sorted text."""
    with installation.warehouse() as connection:
        queries: dict[str, str | sql.Composed] = dict(_QUERIES)
        for system in read_systems().values():
            for name, query in _OF_SYSTEM.items():
                queries[f"{name} of {system.system}"] = sql.SQL(query).format(sql.Literal(system.system))
            for name, stream in system.streams.items():
                table = f"{system.system}__{name}"
                payload = sql.SQL("_payload")
                for path in stream.volatile:
                    payload = sql.SQL("{} #- {}").format(payload, sql.Literal(path.split(".")))
                queries[f"staging.{table}"] = sql.SQL(
                    "select _key, {} as payload, _cursor, _deleted from staging.{}"
                ).format(payload, sql.Identifier(table))
        return {
            name: sorted(str(sorted(row.items())) for row in connection.execute(query).fetchall())
            for name, query in queries.items()
        }


def of_system(found: Mapping[str, list[str]], system: str) -> Mapping[str, list[str]]:
    """The tables of one system."""
    return {
        name: rows
        for name, rows in found.items()
        if name.startswith(f"staging.{system}__") or name.endswith(f" of {system}")
    }
