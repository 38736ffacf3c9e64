import psycopg
import pytest

from onefold.errors import Fatal
from onefold.warehouse.schema import upgrade_schema
from tests.roles import as_role


def test_installing_twice_changes_nothing(warehouse_url):
    tables = "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog') order by 1, 2"
    with psycopg.connect(warehouse_url) as warehouse:
        before = warehouse.execute(tables).fetchall()
    upgrade_schema(warehouse_url)
    with psycopg.connect(warehouse_url) as warehouse:
        assert warehouse.execute(tables).fetchall() == before
        assert ("ops", "load") in before


def test_a_warehouse_that_is_too_old_is_refused_and_left_as_it_is(warehouse_url):
    with psycopg.connect(warehouse_url, autocommit=True) as warehouse:
        warehouse.execute("comment on schema ops is null")
        warehouse.execute("drop schema marts")
        with pytest.raises(Fatal, match=r"too old to be upgraded \(onefold schema 1;.*down --delete-data"):
            upgrade_schema(warehouse_url)
        assert warehouse.execute("select to_regnamespace('marts')").fetchone() == (None,)


def test_an_auditor_sees_how_much_differs_but_no_key_however_often_it_is_installed(warehouse_url):
    upgrade_schema(warehouse_url)
    with psycopg.connect(as_role(warehouse_url, "onefold_auditor")) as auditor:
        auditor.execute("select system, stream, kind, since from ops.drift")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            auditor.execute("select _key from ops.drift")


@pytest.mark.parametrize(
    ("seen", "key", "table"),
    [
        ("entity, identifier, reason", "records", "ops.identity_conflict"),
        ("system, outcome, proof", "lookup_key", "ops.lookup_cache"),
        ("system, outcome, proof", "lookup_key", "ops.lookup_result"),
        ("system, stream, moved_at", "partition", "ops.stream_checkpoint"),
    ],
)
def test_an_auditor_sees_what_was_asked_and_found_but_no_key(warehouse_url, seen, key, table):
    """A key may be a person's number: that of the register of VAT payers is."""
    with psycopg.connect(as_role(warehouse_url, "onefold_auditor")) as auditor:
        auditor.execute(f"select {seen} from {table}")  # noqa: S608 - our own names
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            auditor.execute(f"select {key} from {table}")  # noqa: S608 - our own names


@pytest.mark.parametrize("schema", ["landing", "staging", "mapped", "audit", "lineage"])
def test_an_analyst_cannot_even_look_into(schema, warehouse_url):
    with psycopg.connect(as_role(warehouse_url, "onefold_analyst")) as analyst:
        allowed = analyst.execute("select has_schema_privilege(%s, 'usage')", (schema,)).fetchone()[0]
    assert not allowed


def test_of_ops_an_analyst_reads_the_mapping_alone(warehouse_url):
    with psycopg.connect(as_role(warehouse_url, "onefold_analyst")) as analyst:
        analyst.execute("select entity, attribute, system, stream, fields, transform from ops.mapping")
        readable = analyst.execute(
            "select relname from pg_class where relnamespace = 'ops'::regnamespace and case when relkind = 'S'"
            " then has_sequence_privilege(oid, 'select') when relkind in ('r', 'p', 'v', 'm')"
            " then has_any_column_privilege(oid, 'select') end"
        ).fetchall()
        callable_ones = analyst.execute(
            "select proname from pg_proc"
            " where pronamespace = 'ops'::regnamespace and has_function_privilege(oid, 'execute')"
        ).fetchall()
    assert (readable, callable_ones) == ([("mapping",)], [])


def test_an_auditor_sees_that_a_row_was_refused_but_not_the_row(warehouse_url):
    with psycopg.connect(as_role(warehouse_url, "onefold_auditor")) as auditor:
        auditor.execute("select load_id, expectation, reason from ops.quarantine")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            auditor.execute("select payload from ops.quarantine")
