"""What a demo leaves behind, without what only says when and by which load: two installations can be compared.

The customers that each demo makes in the CRM are left out wherever they are.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from psycopg import sql

from onefold.catalog.reader import read_systems
from onefold.catalog.system import System
from onefold.catalog.target_reader import read_targets
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
_WITH_CUSTOMERS = [
    ("salesforce", "account"),
    *((target.system, each.stream) for target in read_targets().values() for each in target.objects.values()),
]
"""The streams in which the customers that demos make are."""


def tables(installation: Installation) -> Mapping[str, list[str]]:
    """The rows of every table that a user sees, as sorted text. Systems that tell of their changes are left out: each
    demo changes something in them."""
    quiet = (system for system in read_systems().values() if system.start == "on_schedule" or system.look)
    of_systems = [_queries_of(system) for system in quiet]
    return _read(installation, {**_QUERIES, **{name: query for each in of_systems for name, query in each.items()}})


def tables_of(installation: Installation, system: str) -> Mapping[str, list[str]]:
    """The rows of every table of one system, as sorted text."""
    return _read(installation, _queries_of(read_systems()[system]))


def difference(
    found: Mapping[str, list[str]], expected: Mapping[str, list[str]]
) -> Mapping[str, tuple[list[str], list[str]]]:
    """By table the rows that only the first has, and those that only the second has."""
    rows = {name: (Counter(found.get(name, ())), Counter(expected.get(name, ()))) for name in {*found, *expected}}
    return {
        name: (sorted((here - there).elements()), sorted((there - here).elements()))
        for name, (here, there) in rows.items()
        if here != there
    }


def _made_customers(installation: Installation) -> Sequence[str]:
    """By what rows are told in which such a customer is: its tax number, and its golden record's id."""
    written = installation.home / "sandbox" / "written.jsonl"
    rows = map(json.loads, written.read_text().splitlines() if written.exists() else ())
    numbers = [row["fields"]["NIP__c"] for row in rows if row["object"] == "salesforce.Account"]
    ids = "select customer_id::text as id from conformed.customer_version where tax_id_pl = any (%s)"
    return [*numbers, *(str(row["id"]) for row in installation.rows(ids, numbers))]


def _queries_of(system: System) -> Mapping[str, Query]:
    queries = {
        f"{name} of {system.system}": sql.SQL(query).format(sql.Literal(system.system))
        for name, query in _OF_SYSTEM.items()
    }
    touched = [stream for name, stream in _WITH_CUSTOMERS if name == system.system]
    queries[f"ops.cursor of {system.system}"] += sql.SQL(" and stream <> all ({}::text[])").format(sql.Literal(touched))
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
    made = _made_customers(installation)
    with installation.warehouse() as connection:
        texts = {
            name: [str(sorted(row.items())) for row in connection.execute(query).fetchall()]
            for name, query in queries.items()
        }
    return {name: sorted(row for row in rows if not any(each in row for each in made)) for name, rows in texts.items()}
