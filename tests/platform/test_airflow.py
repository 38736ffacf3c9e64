"""Airflow is set up by variables alone, and its database once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from airflow._shared.module_loading import find_path_from_directory

from onefold.platform import airflow
from onefold.platform.postgres import Postgres
from onefold.platform.secrets import load_secrets
from onefold.settings import ROOT, Settings


def variables(home: Path, sandbox: bool = True) -> dict[str, str]:
    settings = Settings(root=ROOT, home=home, pg_port=5001, ui_port=5002, sandbox_port=5003)
    return airflow.environment(settings, load_secrets(home), Postgres(home, 5001), sandbox)


def test_a_database_is_made_once_and_left_alone_after(home: Path, start_postgres: Callable[..., Postgres]) -> None:
    cluster = start_postgres(home)
    for _ in range(2):
        airflow.create_database(cluster.url(), load_secrets(home).database["airflow"])
    with psycopg.connect(cluster.url("airflow", "airflow")) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("airflow", "airflow")


def test_a_user_may_tune_but_not_rewire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "9")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://somewhere/else")
    found = variables(tmp_path)
    assert found["AIRFLOW__CORE__PARALLELISM"] == "9"
    assert "@127.0.0.1:5001/airflow" in found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:5002/execution/"


def test_the_connections_lead_to_the_sandbox_only_when_it_is_on(tmp_path: Path) -> None:
    sap = json.loads(variables(tmp_path)["AIRFLOW_CONN_SAP"])
    assert sap["host"] == "http://127.0.0.1:5003/sap"
    assert not any(name.startswith("AIRFLOW_CONN_") for name in variables(tmp_path, sandbox=False))


def test_airflow_takes_no_file_of_the_engine_for_a_plugin() -> None:
    found = [Path(path) for path in find_path_from_directory(str(ROOT / "plugins"), ".airflowignore", "glob")]
    modules = [path.relative_to(ROOT / "plugins") for path in found if path.suffix == ".py"]
    assert [path for path in modules if path.parts[0] in ("onefold", "airflow_local_settings.py")] == []


def test_up_starts_the_scheduler_anew_when_the_engine_has_changed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "onefold").mkdir()
    module = tmp_path / "onefold" / "engine.py"

    def fingerprints() -> dict[str, str]:
        return {service.name: service.fingerprint() for service in airflow.services({}, tmp_path)}

    module.write_text("before = 1\n")
    before = fingerprints()
    assert fingerprints() == before
    module.write_text("behind = 22\n")
    after = fingerprints()
    assert {name for name in before if before[name] != after[name]} == {"scheduler"}
