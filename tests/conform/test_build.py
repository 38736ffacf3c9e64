"""dbt itself: the generated models of the catalogue's customer build, and what fails is named."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.reader import read_catalog
from onefold.conform import dbt_build
from onefold.conform.dbt_build import DbtProject, NodeResult, build_models, read_results, safe_dbt_message
from onefold.conform.provenance import trace_provenance
from onefold.conform.run import conform
from onefold.errors import Fatal, Retriable
from onefold.mapping.golden import files
from onefold.settings import ROOT
from tests.conform.world import ACTOR

SELECT = ("tag:customer,path:models/resolve", "tag:customer,path:models/conformed")


@pytest.fixture(scope="module")
def customer() -> Entity:
    return read_catalog().entities["customer"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """The project's own dbt project; dbt writes into a folder of this test."""
    return DbtProject(ROOT / "dbt_project", tmp_path_factory.mktemp("dbt"))


@pytest.fixture
def mapped(loader: psycopg.Connection, customer: Entity) -> psycopg.Connection:
    """The mapped tables of the customer, with one company in two of its systems."""
    columns = ", ".join(f"{name} {spec.type}" for name, spec in customer.attributes.items())
    for system in customer.systems:
        loader.execute(
            sql.SQL(
                "create table mapped.{} (_record text, _system text, _stream text, _key text, _load_id bigint,"
                " _deleted boolean, _extracted_at timestamptz, _mapping_version int, " + columns + ")"
            ).format(sql.Identifier(f"{system}__customer"))
        )
    streams = [source.split(".") for source in customer.streams][:2]
    for system, stream in streams:
        load_id = loader.execute(
            "insert into ops.load (system, stream, window_start, window_end, state, dag_id, run_id, actor, rows_new)"
            " values (%s, %s, '2026-01-01', '2026-01-02', 'published', 'd', 'r', 'a', 1) returning load_id",
            (system, stream),
        ).fetchone()[0]
        loader.execute(
            sql.SQL(
                "insert into mapped.{} (_record, _system, _stream, _key, _load_id, _deleted, _extracted_at,"
                " _mapping_version, legal_name, tax_id_pl)"
                " values (%s, %s, %s, '1', %s, false, now(), 1, %s, '5260250274')"
            ).format(sql.Identifier(f"{system}__customer")),
            (f"{system}|{stream}|1", system, stream, load_id, f"Name in {system}"),
        )
    return loader


def test_dbt_builds_what_the_catalogue_says(
    mapped: psycopg.Connection, loader_url: str, customer: Entity, project: DbtProject
):
    report = conform(loader_url, ACTOR, lambda _: (), [customer], project, mappings={}, select=SELECT)
    assert (report.entities[0].golden, dict(report.entities[0].by_sources)) == (1, {2: 1})
    assert set(report.seconds) == {"begin", "build", "gate", "publish"}
    golden_id = mapped.execute("select customer_id from conformed.customer").fetchone()[0]
    assert {row.attribute for row in trace_provenance(mapped, customer, golden_id)} == {"legal_name", "tax_id_pl"}
    # Nothing new: dbt is not even started.
    again = conform(
        loader_url, ACTOR, lambda _: (), [customer], DbtProject(Path("/nowhere"), Path("/nowhere")), mappings={}
    )
    assert again.publish_id is None


def test_a_model_that_fails_is_named_with_its_cause(
    mapped: psycopg.Connection, loader_url: str, customer: Entity, project: DbtProject
):
    mapped.execute("drop table mapped.krs__customer")
    with pytest.raises(Fatal, match=r"model\.onefold\.customer__changed: error: .*krs__customer.* does not exist"):
        conform(loader_url, ACTOR, lambda _: (), [customer], project, mappings={}, select=SELECT)
    assert mapped.execute("select state from ops.publish").fetchone() == ("failed",)
    assert mapped.execute("select count(*) from conformed.customer").fetchone() == (0,)


def test_a_model_that_waits_for_a_lock_for_too_long_is_ended_and_says_so(
    mapped: psycopg.Connection,
    warehouse_url: str,
    loader_url: str,
    customer: Entity,
    project: DbtProject,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(dbt_build, "OPTIONS", f"{dbt_build.OPTIONS} -c lock_timeout=300ms")
    with psycopg.connect(warehouse_url) as somebody:
        somebody.execute("lock table mapped.krs__customer")
        with pytest.raises(Retriable, match=r"customer__changed.* due to lock timeout.*\. Find who holds"):
            conform(loader_url, ACTOR, lambda _: (), [customer], project, mappings={}, select=SELECT)
    assert mapped.execute("select state from ops.publish").fetchone() == ("failed",)


def test_a_failed_test_is_named_and_the_row_is_not_quoted():
    results = [
        NodeResult("model.onefold.a", "success", 0.1),
        NodeResult("test.onefold.b", "fail", 0.1, "Got 3 results"),
        NodeResult(
            "model.onefold.c",
            "error",
            0.1,
            "Database Error in model c\n  duplicate key\n  DETAIL:  Key (email)=(jan@example.pl) exists.",
        ),
        NodeResult("model.onefold.d", "skipped", 0.0),
    ]
    with pytest.raises(Fatal) as raised:
        read_results(results)
    said = str(raised.value)
    assert "2 of 4" in said
    assert "test.onefold.b: fail: Got 3 results" in said
    assert "model.onefold.c: error: Database Error in model c duplicate key" in said
    assert "jan@example.pl" not in said


def test_a_run_that_built_nothing_has_failed():
    with pytest.raises(Fatal, match="built nothing"):
        read_results([])


def test_a_project_that_cannot_be_parsed_is_a_clear_error(loader_url: str, tmp_path: Path):
    (tmp_path / "dbt_project.yml").write_text("name: [")
    with pytest.raises(Fatal, match="cannot be parsed"):
        build_models(DbtProject(tmp_path, tmp_path / "target"), loader_url, {"publish_id": 1})


def test_the_generated_files_are_those_of_the_catalogue(customer: Entity):
    for path, text in files(customer, {"customer": customer}).items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path} is stale: run bin/onefold generate"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            'Database Error in model x (models/x.sql)\n  invalid input syntax for type date: "Kowalski\n  DETAIL"',
            'Database Error in model x (models/x.sql) invalid input syntax for type date: "…"',
        ),
        (
            'Database Error in model x\n  null value in column "a"\n  DETAIL:  Failing row contains (Kowalski, null).',
            'Database Error in model x null value in column "…"',
        ),
        (
            'Database Error in model x (models/x.sql)\n  column "nip" does not exist\n  LINE 3: select nip',
            'Database Error in model x (models/x.sql) column "nip" does not exist',
        ),
        ("Got 3 results, configured to fail if != 0", "Got 3 results, configured to fail if != 0"),
    ],
)
def test_what_is_repeated_of_dbts_message_quotes_no_row(message: str, shown: str):
    assert safe_dbt_message(message) == shown
