import psycopg
import pytest

from onefold.errors import Fatal
from onefold.warehouse.install import install_schema
from tests.roles import as_role


def test_installing_twice_changes_nothing(warehouse_url):
    tables = "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog') order by 1, 2"
    with psycopg.connect(warehouse_url) as warehouse:
        before = warehouse.execute(tables).fetchall()
    install_schema(warehouse_url)
    with psycopg.connect(warehouse_url) as warehouse:
        assert warehouse.execute(tables).fetchall() == before
        assert ("ops", "load") in before


def test_a_warehouse_of_an_older_onefold_is_refused_and_left_as_it_is(warehouse_url):
    with psycopg.connect(warehouse_url, autocommit=True) as warehouse:
        warehouse.execute("comment on schema ops is null")
        warehouse.execute("drop schema marts")
        with pytest.raises(Fatal, match=r"schema 1; this one needs schema \d.*down --delete-data"):
            install_schema(warehouse_url)
        assert warehouse.execute("select to_regnamespace('marts')").fetchone() == (None,)


def test_what_contracts_changed_is_kept_when_drift_gets_its_new_meaning(warehouse_url):
    with psycopg.connect(warehouse_url, autocommit=True) as warehouse:
        warehouse.execute("drop table ops.drift")
        warehouse.execute("alter table ops.contract_change rename to drift")
        warehouse.execute("alter index ops.contract_change_pkey rename to drift_pkey")
        warehouse.execute(
            "with load as (insert into ops.load (system, stream, window_start, window_end, dag_id, run_id, actor)"
            " values ('shop', 'customer', now(), now() + interval '1 day', 'd', 'r', 'a') returning load_id)"
            " insert into ops.drift (load_id, system, stream, field, was, is_now, rows)"
            " select load_id, 'shop', 'customer', 'name', 'text', 'absent', 3 from load"
        )
        install_schema(warehouse_url)
        assert warehouse.execute("select field, rows from ops.contract_change").fetchall() == [("name", 3)]
        assert warehouse.execute("select count(*), min(since) from ops.drift").fetchone() == (0, None)


def test_an_auditor_sees_how_much_differs_but_no_key_however_often_it_is_installed(warehouse_url):
    install_schema(warehouse_url)
    with psycopg.connect(as_role(warehouse_url, "onefold_auditor")) as auditor:
        auditor.execute("select system, stream, kind, since from ops.drift")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            auditor.execute("select _key from ops.drift")


@pytest.mark.parametrize("schema", ["landing", "staging", "mapped", "ops", "audit", "lineage"])
def test_an_analyst_cannot_even_look_into(schema, warehouse_url):
    with psycopg.connect(as_role(warehouse_url, "onefold_analyst")) as analyst:
        allowed = analyst.execute("select has_schema_privilege(%s, 'usage')", (schema,)).fetchone()[0]
    assert not allowed


def test_an_auditor_sees_that_a_row_was_refused_but_not_the_row(warehouse_url):
    with psycopg.connect(as_role(warehouse_url, "onefold_auditor")) as auditor:
        auditor.execute("select load_id, expectation, reason from ops.quarantine")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            auditor.execute("select payload from ops.quarantine")
