"""The generated models in dbt, on the real PostgreSQL: every example holds, and the increment equals the whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from onefold.catalog.reader import read_catalog
from onefold.conform.dbt_build import DbtProject
from onefold.load.staging import ensure_all_staging
from onefold.settings import ROOT
from tests.parsed_dbt import Parse

PROJECT = ROOT / "dbt_project"
ALL = read_catalog().entities.keys()
PROVEN = ("payment", "purchase_invoice_line")
"""Entities that prove how dbt runs the examples; tests/mapping/test_examples.py asks PostgreSQL for those of all."""


class Dbt:
    """Runs dbt in this process against one warehouse, with its files in a folder of the test."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder, self._manifest = folder, manifest

    def __call__(self, *arguments: str) -> dict[str, str]:
        """Run dbt and return the status of every node, by its id."""
        where = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        done = dbtRunner(manifest=self._manifest).invoke(["--quiet", *arguments, *where])
        assert done.success, done.exception or self._results()
        return {result["unique_id"]: result["status"] for result in self._results()}

    def _results(self) -> list[dict[str, Any]]:
        """The results of the last run, as dbt wrote them (run_results.json)."""
        return json.loads((self._folder / "target" / "run_results.json").read_text("utf-8"))["results"]

    def map(self, *more: str, **variables: object) -> None:
        """Build the customer's mapped models."""
        given = ["--vars", json.dumps(variables)] if variables else []
        statuses = self("run", "--select", "tag:customer,path:models/mapped", *given, *more)
        assert len(statuses) == len(read_catalog().entities["customer"].systems)

    def seconds(self, model: str) -> float:
        """How long the last run worked on the model."""
        return next(
            result["execution_time"] for result in self._results() if result["unique_id"] == f"model.onefold.{model}"
        )


@pytest.fixture
def dbt(loader_url: str, parsed_once: Parse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dbt:
    ensure_all_staging(loader_url, read_catalog())
    target = conninfo_to_dict(loader_url)
    for variable, name in (("HOST", "host"), ("PORT", "port"), ("USER", "user"), ("PASSWORD", "password")):
        monkeypatch.setenv(f"ONEFOLD_PG_{variable}", str(target[name]))
    monkeypatch.setenv("ONEFOLD_PG_DATABASE", str(target["dbname"]))
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path / "logs"))
    variables = {"publish_id": 0, "full_mapping": []}
    arguments = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--vars", json.dumps(variables)]
    return Dbt(tmp_path, parsed_once(DbtProject(PROJECT, tmp_path), arguments, str(target["dbname"])))


def _load(loader: psycopg.Connection) -> int:
    return loader.execute(
        "insert into ops.load (system, stream, window_start, window_end, state, dag_id, run_id, actor) "
        "values ('salesforce', 'account', '2026-01-01', '2026-01-02', 'published', 'test', 'test', 'test') "
        "returning load_id"
    ).fetchone()[0]


def _publish(loader: psycopg.Connection, *loads: int) -> int:
    publish = loader.execute(
        "insert into ops.publish (actor, mappings) values ('test', '{}') returning publish_id"
    ).fetchone()[0]
    for load in loads:
        loader.execute("insert into ops.publish_load (publish_id, load_id) values (%s, %s)", [publish, load])
    return publish


def _stage(
    loader: psycopg.Connection, load: int, accounts: Mapping[str, Mapping[str, object]], deleted: bool = False
) -> None:
    for key, payload in accounts.items():
        loader.execute(
            "insert into staging.salesforce__account (_key, _hash, _payload, _deleted, _load_id, _extracted_at) "
            "values (%s, '', %s, %s, %s, '2026-01-01Z')",
            [key, Jsonb({"Id": key, **payload}), deleted, load],
        )


def _rows(loader: psycopg.Connection) -> list[tuple[object, ...]]:
    return loader.execute("select * from mapped.salesforce__customer order by _record").fetchall()


ENTITIES = [*PROVEN, *(pytest.param(name, marks=pytest.mark.full_matrix) for name in sorted(ALL - set(PROVEN)))]


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_example_and_increment_of_an_entity_holds_in_dbt(dbt: Dbt, entity: str) -> None:
    statuses = dbt("test", "--select", f"tag:{entity},path:models/mapped,test_type:unit")
    found = read_catalog().entities[entity]
    examples = sum(len(rule.examples) for attribute in found.attributes.values() for rule in attribute.sources.values())
    assert list(statuses.values()) == ["pass"] * (examples + len(found.systems))


def test_an_increment_gives_what_a_full_build_gives(dbt: Dbt, loader: psycopg.Connection) -> None:
    first = _load(loader)
    _stage(loader, first, {f"{n:03d}": {"Name": f"FIRMA {n} SP. Z O.O.", "Status__c": "Active"} for n in range(50)})
    dbt.map()
    second = _load(loader)
    _stage(loader, second, {"001": {"Name": "Firma 1 S.A.", "NIP__c": "527-288-90-07"}, "050": {"Name": "Nowa"}})
    _stage(loader, second, {"002": {}}, deleted=True)
    untouched = dict(loader.execute("select _record, xmin::text from mapped.salesforce__customer").fetchall())
    dbt.map(publish_id=_publish(loader, second))
    rewritten = dict(loader.execute("select _record, xmin::text from mapped.salesforce__customer").fetchall())
    changed = {record for record, version in rewritten.items() if untouched.get(record) != version}
    assert changed == {f"salesforce|account|{key}" for key in ("001", "002", "050")}
    increment = _rows(loader)
    assert len(increment) == 51
    assert loader.execute(
        "select legal_name, tax_id_pl, _load_id, _deleted, _mapping_version from mapped.salesforce__customer "
        "where _key = '001'"
    ).fetchone() == ("Firma 1 S.A.", "5272889007", second, False, 1)
    dbt.map("--full-refresh")
    assert _rows(loader) == increment
    dbt.map(full_mapping=["customer"])
    assert _rows(loader) == increment


def test_a_rolled_back_load_is_taken_out_of_the_mapped_records(dbt: Dbt, loader: psycopg.Connection) -> None:
    first, second = _load(loader), _load(loader)
    _stage(loader, first, {"001": {"Name": "Before"}})
    _stage(loader, second, {"001": {"Name": "After"}, "002": {"Name": "New"}})
    dbt.map()
    loader.execute("delete from staging.salesforce__account where _load_id = %s", [second])
    dbt.map(publish_id=_publish(loader, second))
    assert loader.execute(
        "select _key, legal_name, _load_id, _deleted from mapped.salesforce__customer order by _key"
    ).fetchall() == [("001", "Before", first, False), ("002", None, second, True)]


def test_twenty_thousand_records_are_mapped_without_compiling_expressions_anew(
    dbt: Dbt, loader: psycopg.Connection
) -> None:
    """PostgreSQL keeps 32 compiled regular expressions a session; a model with more takes ten times as long."""
    loader.execute(
        "insert into staging.salesforce__account select n::text, '', jsonb_build_object('Name', 'FIRMA ' || n || "
        "' SP. Z O.O.', 'NIP__c', '527-288-90-07', 'REGON__c', '382903625', 'KRS__c', '779880', 'Email__c', 'A@B.PL', "
        "'Phone', '22 123 45 67', 'BillingStreet', 'ul. Nowa ' || n || ' m. 5', 'BillingCity', 'ŁÓDŹ', "
        "'BillingPostalCode', '00950', 'BillingCountry', 'Polska', 'Status__c', 'Active', 'CreditLimit__c', 5000.0, "
        "'CurrencyIsoCode', 'PLN', 'SystemModstamp', '2026-03-01T10:11:12.000+0000'), '', false, 1, now() "
        "from generate_series(1, 20000) as n"
    )
    dbt.map()
    assert dbt.seconds("salesforce__customer") < 10  # 1.5 s here; 20 s with more than 32 expressions
    assert loader.execute("select count(*), count(distinct street) from mapped.salesforce__customer").fetchone() == (
        20000, 20000,
    )  # fmt: skip
