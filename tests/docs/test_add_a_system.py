"""The walk-through of docs/add-a-system.md, with its own files and its own answer of the source."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
import yaml

from onefold.catalog.reader import read_catalog
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.extraction import from_system
from onefold.load.job import Job
from onefold.load.ledger import Run
from onefold.mapping.mapped_model import model_sql
from onefold.settings import ROOT
from tests.docs.pages import block_of
from tests.http.web_server import Asked, Say, serving

PAGE = ROOT / "docs" / "add-a-system.md"
SYSTEM = "catalog/systems/invoicing.yaml"
SUITE = "expectations/invoicing__customer.yaml"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project's catalogue with the page's two files added."""
    for folder in ("catalog", "expectations", "dbt_project/macros"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for file in (SYSTEM, SUITE):
        (tmp_path / file).write_text(block_of(PAGE, f"# {file}"))
    return tmp_path


def test_a_system_is_at_most_25_lines(checkout: Path) -> None:
    assert len((checkout / SYSTEM).read_text().splitlines()) <= 25


def test_the_example_of_the_docs_is_right(checkout: Path) -> None:
    done = subprocess.run(
        [ROOT / "bin" / "onefold", "check", "--root", checkout], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_the_example_of_the_docs_loads(checkout: Path, loader_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEFOLD_HOME", str(checkout / "home"))
    first = json.loads(block_of(PAGE, "{"))
    last = {"data": [{**first["data"][0], "id": "C-3", "name": ""}, {**first["data"][1], "id": "C-4", "gone": True}]}

    def answer(asked: Asked) -> Say:
        assert asked.headers["Authorization"].startswith("Basic ")
        return Say(body=json.dumps(last if asked.params.get("page") == "2" else first).encode())

    catalog = read_catalog(checkout)
    system = catalog.systems["invoicing"]
    with serving() as web:
        web.answer = answer
        endpoint = Endpoint(web.url, "onefold", "not-a-secret", {})
        job = Job(
            system=system,
            stream_name="customer",
            run=Run("sync__invoicing", "manual__1", "os:tester"),
            source=from_system(system, endpoint, loader_url, catalog.systems, catalog.entities),
            source_url=web.url,
            warehouse_url=loader_url,
            entities=catalog.entities,
            run_is_over=lambda dag_id, run_id: True,
            suites=checkout / "expectations",
        )
        steps.land(job)
        steps.gate(job)
        load = steps.publish(job)
    assert web.asked[0].params.keys() == {"changed_from", "changed_to"}
    assert (load.state, load.rows_read, load.rows_new, load.rows_deleted, load.rows_quarantined) == (
        "published",
        4,
        2,
        1,
        1,
    )
    with psycopg.connect(loader_url) as connection:
        rows = connection.execute(
            "select _key from staging.invoicing__customer__current where not _deleted order by 1"
        ).fetchall()
    assert rows == [("C-1",), ("C-2",)]


def test_the_mapping_of_the_docs_becomes_a_model(checkout: Path) -> None:
    path = checkout / "catalog" / "entities" / "customer.yaml"
    entity = yaml.safe_load(path.read_text())
    entity["trust"].append("invoicing")
    for attribute, more in yaml.safe_load(block_of(PAGE, "# in attributes of catalog/entities/customer.yaml")).items():
        entity["attributes"][attribute]["sources"] |= more["sources"]
    path.write_text(yaml.safe_dump(entity, allow_unicode=True, sort_keys=False))
    catalog = read_catalog(checkout)
    model = model_sql(catalog.entities["customer"], catalog.systems["invoicing"])
    assert "company_name(" in model and "nip(" in model


def test_the_entity_of_the_docs_is_right_and_becomes_models(tmp_path: Path) -> None:
    for folder in ("catalog", "expectations", "dbt_project/macros"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for file in ("catalog/entities/cost_center.yaml", "expectations/cost_center.yaml"):
        (tmp_path / file).write_text(block_of(ROOT / "docs" / "add-an-entity.md", f"# {file}"))
    done = subprocess.run(
        [ROOT / "bin" / "onefold", "check", "--root", tmp_path], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    catalog = read_catalog(tmp_path)
    model = model_sql(catalog.entities["cost_center"], catalog.systems["sap_service"])
    assert "joined(" in model and "COSTCENTER" in model
