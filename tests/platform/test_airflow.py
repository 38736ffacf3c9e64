"""Airflow is set up by variables alone, and its database once."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from airflow._shared.module_loading import find_path_from_directory

from onefold.platform import airflow, processes
from onefold.platform.postgres import Postgres
from onefold.platform.processes import Service
from onefold.platform.secrets import load_secrets
from onefold.settings import ROOT, Settings


def installed(home: Path, root: Path = ROOT) -> Settings:
    return Settings(root=root, home=home, pg_port=5001, ui_port=5002, sandbox_port=5003)


def variables(home: Path, sandbox: bool = True) -> dict[str, str]:
    return airflow.environment(installed(home), load_secrets(home), Postgres(home, 5001), sandbox)


def services(home: Path, root: Path = ROOT) -> dict[str, Service]:
    here, secrets, postgres = installed(home, root), load_secrets(home), Postgres(home, 5001)
    found = airflow.services(here, secrets, postgres, airflow.environment(here, secrets, postgres, False))
    return {service.name: service for service in found}


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
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD"].startswith(f"cat {tmp_path}/")
    # Airflow would prefer it to the command.
    assert "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" not in processes.environment(found)
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:5002/execution/"


def test_where_a_vault_makes_logins_no_task_has_the_password_of_the_loader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = load_secrets(tmp_path).database["onefold_loader"]
    assert password in variables(tmp_path)["ONEFOLD_WAREHOUSE_URL"]
    monkeypatch.setenv("ONEFOLD_DATABASE_CREDENTIALS", "database/creds/onefold-loader")
    found = variables(tmp_path)
    assert found["ONEFOLD_WAREHOUSE_URL"] == "postgresql://127.0.0.1:5001/warehouse"
    assert password not in json.dumps(found)


def test_the_connections_lead_to_the_sandbox_only_when_it_is_on(tmp_path: Path) -> None:
    sap = json.loads(variables(tmp_path)["AIRFLOW_CONN_SAP"])
    assert sap["host"] == "http://127.0.0.1:5003/sap"
    assert not any(name.startswith("AIRFLOW_CONN_") for name in variables(tmp_path, sandbox=False))


def test_airflow_takes_no_file_of_the_engine_for_a_plugin() -> None:
    found = [Path(path) for path in find_path_from_directory(str(ROOT / "plugins"), ".airflowignore", "glob")]
    modules = [path.relative_to(ROOT / "plugins") for path in found if path.suffix == ".py"]
    assert [path for path in modules if path.parts[0] in ("onefold", "airflow_local_settings.py")] == []


def test_up_starts_anew_what_runs_tasks_and_triggers_when_the_engine_has_changed(tmp_path: Path) -> None:
    (tmp_path / "plugins" / "onefold").mkdir(parents=True)
    module = tmp_path / "plugins" / "onefold" / "engine.py"

    def fingerprints() -> dict[str, str]:
        return {name: service.fingerprint() for name, service in services(tmp_path, tmp_path).items()}

    module.write_text("before = 1\n")
    before = fingerprints()
    assert fingerprints() == before
    module.write_text("behind = 22\n")
    after = fingerprints()
    assert {name for name in before if before[name] != after[name]} == {"scheduler", "triggerer"}


def test_no_environment_holds_a_secret_that_its_process_does_not_need(tmp_path: Path) -> None:
    found, secrets = services(tmp_path), load_secrets(tmp_path)
    roles = {role: quote(password, safe="") for role, password in secrets.database.items()}
    keys = {"tokens": secrets.jwt_secret, "sessions": secrets.api_secret, "connections": secrets.fernet_key}
    held = {
        name: {of for of, secret in (*roles.items(), *keys.items()) if secret in "".join(service.environment.values())}
        for name, service in found.items()
    }
    # A task has the scheduler's environment, and needs the loader's role for the warehouse.
    assert held.pop("api-server") == {"onefold_loader", "onefold_approvals", "onefold_console"}
    assert held == {name: {"onefold_loader"} for name in ("scheduler", "dag-processor", "triggerer")}
    signs = {name for name, service in found.items() if "AIRFLOW__API_AUTH__JWT_SECRET_CMD" in service.environment}
    assert signs == {"api-server", "scheduler"}


def test_airflow_reads_its_secrets_from_files_of_their_owner_alone(tmp_path: Path) -> None:
    here, secrets = installed(tmp_path), load_secrets(tmp_path)
    airflow.prepare(here, secrets, Postgres(tmp_path, 5001))
    found = services(tmp_path)["api-server"].environment
    commands = {name: shlex.split(value)[1] for name, value in found.items() if name.endswith("_CMD")}
    assert Path(commands["AIRFLOW__API_AUTH__JWT_SECRET_CMD"]).read_text() == secrets.jwt_secret
    assert "@127.0.0.1:5001/airflow" in Path(commands["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD"]).read_text()
    assert {Path(path).stat().st_mode & 0o777 for path in commands.values()} == {0o600}
