"""Whoever reads personal columns past `onefold sql` is in the audit chain, however the statement is put."""

from __future__ import annotations

import json
from collections.abc import Sequence

import psycopg
import pytest

from onefold.catalog.reader import read_catalog
from onefold.privacy.direct_reads import collect_direct_reads
from onefold.warehouse.statement_query import query_of
from tests.roles import as_role

VALUE = "kanarek@example.com"
EMAIL = "conformed.customer_version.email"


def collect(url: str) -> None:
    collect_direct_reads(as_role(url, "onefold_loader"), read_catalog(), "os:test")


def events(url: str, action: str = "read.statements") -> list[tuple[str, dict, str]]:
    """The reader, the payload and the statement of each event."""
    with psycopg.connect(url) as owner:
        owner.execute("set pg_stat_statements.track = 'none'")
        return owner.execute(
            "select actor, payload, text from audit.event left join audit.statement"
            " on subject = 'statement:' || encode(sha256, 'hex') where action = %s order by seq",
            [action],
        ).fetchall()


def psql(url: str, role: str, statements: Sequence[str]) -> None:
    """As psql sends them, and as a client that is ended sends no more."""
    with psycopg.connect(as_role(url, role), autocommit=True) as reader:
        for statement in statements:
            if statement.lstrip().startswith("copy"):
                with reader.cursor().copy(statement.encode()) as rows:
                    list(rows)
            else:
                reader.execute(statement.encode())


@pytest.fixture
def warehouse(warehouse_url: str) -> str:
    """A warehouse with one customer, which PostgreSQL has begun to watch; analysts may see its e-mail address, as
    members of onefold_pii may, in this database alone."""
    with psycopg.connect(warehouse_url) as owner:
        owner.execute("set pg_stat_statements.track = 'none'")
        owner.execute("grant select on all tables in schema conformed to onefold_analyst, onefold_engineer")
    collect(warehouse_url)
    return warehouse_url


WAYS = {
    "a star": ["select * from conformed.customer"],
    "an alias": [f"select x.email as colour from conformed.customer as x where x.email <> '{VALUE}'"],
    "a whole row": ["select to_jsonb(c) from conformed.customer as c"],
    "COPY of a query": [f"copy (select email from conformed.customer where email <> '{VALUE}') to stdout"],
    "a cursor": [
        "begin",
        f"declare c cursor for select email from conformed.customer where email <> '{VALUE}'",
        "fetch all from c",
        "commit",
    ],
    "a cursor that is rolled back": ["begin", "declare c cursor for table conformed.customer", "fetch c", "rollback"],
    "a prepared statement": [
        "prepare p (text) as select email from conformed.customer where email <> $1",
        f"execute p('{VALUE}')",
    ],
    "EXPLAIN ANALYZE": [f"explain (analyze) select email from conformed.customer where email <> '{VALUE}'"],
    "a search_path": ["set search_path = conformed", "select * from customer"],
    "a function that runs text": [
        f"select query_to_xml('select email from conformed.customer where email <> ''{VALUE}''', true, true, '')"
    ],
    "a comment before it": [f"/* {VALUE} */ select email -- {VALUE}\nfrom conformed.customer"],
    "a typed literal": ["select email from conformed.customer where date '2026-01-01' < now() limit 5"],
    "a join": ["select 1 from conformed.customer join conformed.employee using (email)"],
}


@pytest.mark.parametrize("way", WAYS)
def test_an_analyst_who_reads_directly_is_recorded_without_a_value(warehouse: str, way: str) -> None:
    psql(warehouse, "onefold_analyst", WAYS[way])
    collect(warehouse)
    found = events(warehouse)
    assert {reader for reader, _, _ in found} == {"role:onefold_analyst"}
    of_email = [payload for _, payload, _ in found if EMAIL in payload["personal_columns"]]
    assert of_email and all(payload["columns_known"] for payload in of_email)
    assert max(max(payload["plans"], payload["calls"]) for payload in of_email) >= 1
    assert VALUE not in json.dumps(found)
    collect(warehouse)
    assert events(warehouse) == found
