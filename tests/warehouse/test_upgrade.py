"""A warehouse of the last release before numbered migrations is upgraded, keeps its data and goes on loading."""

from __future__ import annotations

import re
import subprocess

import psycopg

from onefold.warehouse.schema import upgrade_schema
from tests.warehouse.conftest import Databases, postgres_program

_OURS = r"\b\w+__identifier\b|\b(superseded|unchanged|lookup_result|partition|resume_token|unreadable)\b"
"""In schemas where single streams, loads and dbt have their own tables too."""


def schema_of(url: str) -> set[str]:
    """The definitions of all that Onefold itself makes: without the tables of single streams and loads, and dbt's.

    The lines of each are sorted: in which order somebody was given rights says nothing.
    """
    dump = subprocess.run(
        [postgres_program("pg_dump"), "--schema-only", url], check=True, capture_output=True, text=True
    )
    blocks = re.split(r"^--\n-- (?=Name: )", dump.stdout, flags=re.MULTILINE)[1:]
    blocks[-1] = blocks[-1].partition("\n--\n-- PostgreSQL database dump complete")[0]
    return {
        "\n".join(sorted(block.strip().splitlines()))
        for block in blocks
        if not re.search(r"Schema: (mapped|marts|shadow_\w+|staging|landing);", block)
        or re.search(_OURS, block.partition(";")[0])
    }


def without_indexes_of_the_first_publish(schema: set[str]) -> set[str]:
    return {block for block in schema if not re.search(r"Type: INDEX; Schema: (conformed|mapped);", block)}


def test_an_upgraded_warehouse_has_the_schema_of_a_new_one(old_warehouse: str, empty_databases: Databases):
    upgrade_schema(old_warehouse)
    with empty_databases() as new:
        upgrade_schema(new)
        upgraded, fresh = map(without_indexes_of_the_first_publish, (schema_of(old_warehouse), schema_of(new)))
    assert upgraded ^ fresh == set()


def test_contract_changes_are_kept_when_drift_gets_its_new_meaning(old_warehouse: str):
    with psycopg.connect(old_warehouse, autocommit=True) as warehouse:
        warehouse.execute("drop table ops.drift")
        warehouse.execute("alter table ops.contract_change rename to drift")
        warehouse.execute("alter index ops.contract_change_pkey rename to drift_pkey")
        before = warehouse.execute(
            "insert into ops.drift (load_id, system, stream, field, was, is_now, rows)"
            " select min(load_id), 'shop', 'customer', 'name', 'text', 'absent', 3 from ops.load returning load_id"
        ).fetchall()
        upgrade_schema(old_warehouse)
        assert warehouse.execute("select load_id from ops.contract_change where field = 'name'").fetchall() == before
        assert warehouse.execute("select count(*), min(since) from ops.drift").fetchone() == (0, None)
