"""The command line as a user meets it, without starting Airflow."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from onefold.commands.main import COMMANDS
from onefold.commands.platform import sign_in
from onefold.commands.sql import sql as sql_command
from onefold.platform.airflow import WAREHOUSE_DATABASE
from onefold.platform.postgres import Postgres, free_port
from onefold.platform.secrets import load_secrets
from onefold.settings import ROOT, Settings
from onefold.warehouse.install import DATABASE, install

OURS = ("up", "down", "status", "sql")


def onefold(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "bin" / "onefold", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd="/",
        env={**os.environ, "ONEFOLD_HOME": str(home), **variables},
        timeout=60,
    )


def test_help_lists_every_command_and_is_quick(home: Path) -> None:
    onefold(home, "--help")
    began = time.monotonic()
    result = onefold(home, "--help")
    assert time.monotonic() - began < 1.5  # 0.1 s here; importing Airflow or dbt would take longer than this
    assert result.returncode == 0
    assert all(f"  {name} " in result.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", OURS)
def test_each_command_has_help_with_an_example(home: Path, command: str) -> None:
    result = onefold(home, command, "--help")
    assert result.returncode == 0
    assert f"Example: onefold {command}" in result.stdout


def test_it_runs_through_a_symbolic_link(home: Path) -> None:
    link = home / "onefold"
    link.symlink_to(ROOT / "bin" / "onefold")
    assert subprocess.run([link, "--version"], capture_output=True, cwd="/").returncode == 0


def test_status_json_of_nothing_is_all_down(home: Path) -> None:
    result = onefold(home, "status", "--json")
    found = json.loads(result.stdout)
    assert result.returncode == 1
    assert found["up"] is False
    assert {service["state"] for service in found["services"]} == {"down"}
    assert found["services"][0]["name"] == "postgres"


def test_down_with_nothing_running_succeeds_again_and_again(home: Path) -> None:
    assert onefold(home, "down").returncode == 0
    assert onefold(home, "down").returncode == 0


def test_a_mistaken_port_is_one_clear_line(home: Path) -> None:
    result = onefold(home, "status", ONEFOLD_PG_PORT="many")
    assert result.returncode == 1
    assert result.stderr == ("onefold: ONEFOLD_PG_PORT='many' is not a port. Set it to a number between 1 and 65535.\n")
    assert "Traceback" in onefold(home, "--debug", "status", ONEFOLD_PG_PORT="many").stderr


def test_a_password_is_shown_on_a_terminal_and_nowhere_else(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Settings(ROOT, home, 1, 2, 3)
    assert sign_in(here, "engineer", "hidden-word") == f"user: engineer   password: in {home}/secrets.json"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert sign_in(here, "engineer", "hidden-word") == "user: engineer   password: hidden-word"


def test_up_refuses_a_taken_port_before_it_starts_anything(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ports = {"ONEFOLD_PG_PORT": str(free_port()), "ONEFOLD_SANDBOX_PORT": str(free_port())}
        result = onefold(home, "up", ONEFOLD_UI_PORT=port, **ports)
    assert result.returncode == 1
    assert port in result.stderr and "ONEFOLD_UI_PORT" in result.stderr
    assert not (home / "postgres").exists()


def test_sql_shows_rows_as_table_csv_and_json_and_explains_errors(
    home: Path, start_postgres: Callable[..., Postgres]
) -> None:
    assert WAREHOUSE_DATABASE == DATABASE
    port = str(free_port())
    down = onefold(home, "sql", "SELECT 1", ONEFOLD_PG_PORT=port)
    assert (down.returncode, "bin/onefold up" in down.stderr) == (1, True)
    cluster = start_postgres(home, int(port))
    install(cluster.url(), load_secrets(home).database)

    def sql(*arguments: str) -> subprocess.CompletedProcess[str]:
        return onefold(home, "sql", *arguments, ONEFOLD_PG_PORT=port)

    query = "SELECT 1.50 AS price, NULL AS nothing, 'Łódź, ul. [b]' AS place"
    assert sql(query, "--csv").stdout == 'price,nothing,place\n1.50,,"Łódź, ul. [b]"\n'
    assert json.loads(sql(query, "--json").stdout) == {"price": "1.50", "nothing": None, "place": "Łódź, ul. [b]"}

    def here(*arguments: str) -> Result:
        """The same command in this process: Python's start takes longer than all else."""
        return CliRunner(env={"ONEFOLD_HOME": str(home), "ONEFOLD_PG_PORT": port}).invoke(
            sql_command, arguments, catch_exceptions=False
        )

    digits = """SELECT '{"a": 12345678901234567.89}'::jsonb AS held, 12345678901234567.89 AS exact,
        'infinity'::date AS day, '1 mon'::interval AS span"""
    assert here(digits, "--csv").stdout.splitlines()[1:] == [
        '"{""a"": 12345678901234567.89}",12345678901234567.89,infinity,1 mon'
    ]
    assert '"held": {"a": 12345678901234567.89}, "exact": "12345678901234567.89"' in here(digits, "--json").stdout
    hostile = r"""SELECT '=1+1' AS formula, -5 AS five, '-1 mon'::interval AS span, E'\x1b[2J' AS screen"""
    assert here(hostile, "--csv").stdout.splitlines()[1:] == [r"'=1+1,-5,-1 mons,\x1b[2J"]
    assert here(hostile, "--csv", "--raw").stdout.splitlines()[1:] == ["=1+1,-5,-1 mons,\x1b[2J"]
    assert r"\x1b[2J" in here(hostile).stdout and "\x1b" not in here(hostile).stdout + here(hostile, "--json").stdout
    table = here(query).stdout
    assert "Łódź, ul. [b]" in table and "1 row\n" in table
    assert "The first 1000 rows" in here("SELECT * FROM generate_series(1, 100000)").stdout
    assert len(here("SELECT * FROM generate_series(1, 5000)", "--csv").stdout.splitlines()) == 5001

    mistake = sql("SELECT 1 FRO ops.load")
    assert (mistake.returncode, mistake.stderr.count("\n")) == (1, 1)
    assert "syntax error" in mistake.stderr and "→ops" in mistake.stderr
    refused = sql("SELECT * FROM ops.load", "--as", "analyst")
    assert refused.returncode == 1 and "permission denied" in refused.stderr
