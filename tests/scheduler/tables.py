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
    "ops.quarantine": "select system, stream, _key, expectation, reason, state from ops.quarantine",
    "ops.cursor": "select system, stream, value from ops.cursor",
    "ops.lookup_cache": "select system, stream, lookup_key, outcome from ops.lookup_cache",
}


def tables(installation: Installation) -> Mapping[str, list[str]]:
    """The rows of every table that a user sees, as sorted text."""
    with installation.warehouse() as connection:
        queries = dict(_QUERIES)
        for system in read_systems().values():
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
