"""All entities of the catalogue through the real dbt and the real gate, and the marts on top of them."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from onefold.catalog.reader import read_catalog
from onefold.conform.dbt_build import DbtProject, marts_fingerprint
from onefold.conform.gate import entity_gate
from onefold.conform.run import conform
from onefold.load.staging import ensure_all_staging
from onefold.mapping.registry import mapping_fingerprints
from onefold.settings import ROOT
from tests.conform.world import ACTOR

DBT = ROOT / "dbt_project"


@pytest.fixture
def catalogued(loader_url: str, loader: psycopg.Connection) -> psycopg.Connection:
    """A warehouse with every stream's tables, and one published load of invoices that brought nothing."""
    ensure_all_staging(loader_url, read_catalog())
    loader.execute(
        "insert into ops.load (system, stream, window_start, window_end, state, dag_id, run_id, actor, rows_new)"
        " values ('erp', 'faktura', '2026-01-01', '2026-01-02', 'published', 'd', 'r', 'a', 1)"
    )
    return loader


def test_every_entity_is_built_judged_and_published_and_the_marts_can_be_asked_and_say_what_they_mean(
    loader_url: str, catalogued: psycopg.Connection, tmp_path: Path
) -> None:
    catalog = read_catalog()
    entities = list(catalog.entities.values())
    mappings = mapping_fingerprints(catalog.entities, catalog.systems) | {"marts": marts_fingerprint(DBT)}
    report = conform(loader_url, ACTOR, entity_gate(loader_url), entities, DbtProject(DBT, tmp_path), mappings=mappings)
    assert {each.entity for each in report.entities} == set(catalog.entities)
    for mart in (path.stem for path in (DBT / "models" / "marts").glob("*.sql")):
        count = sql.SQL("select count(*) from {}").format(sql.Identifier("marts", mart))
        assert catalogued.execute(count).fetchone() is not None
    assert _without_comment(catalogued) == []


def _without_comment(connection: psycopg.Connection) -> list[str]:
    """The tables, views and columns of conformed and marts of which the database does not say what they mean."""
    rows = connection.execute(
        "select c.oid::regclass || coalesce('.' || attname, '') from pg_class as c"
        " cross join lateral (select 0 as attnum, null::name as attname union all"
        " select a.attnum, a.attname from pg_attribute as a"
        " where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as part"
        " where c.relnamespace in ('conformed'::regnamespace, 'marts'::regnamespace) and c.relkind in ('r', 'v')"
        " and coalesce(case attnum when 0 then obj_description(c.oid, 'pg_class')"
        " else col_description(c.oid, attnum) end, '') = '' order by 1"
    ).fetchall()
    return [name for (name,) in rows]
