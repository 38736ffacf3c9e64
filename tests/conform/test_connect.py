"""What docs/connect.md and the analysts' notebook tell a reader to type, typed with a login of their own."""

from __future__ import annotations

import ast
import json
import os
import runpy
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import altair as alt
import pandas as pd
import psycopg
import pytest
from psycopg import sql

from onefold.settings import ROOT
from tests.conform.published import Published
from tests.docs.pages import block_of, blocks
from tests.personal_login import as_login, personal_login
from tests.warehouse.old_release import postgres_program

PAGE = ROOT / "docs" / "connect.md"
NOTEBOOK = ROOT / "docs" / "notebooks" / "for-analysts.ipynb"
DEMO = "host=127.0.0.1 port=54329 dbname=warehouse"


@pytest.fixture(scope="module")
def login(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An analyst's login, as libpq's environment variables."""
    home = tmp_path_factory.mktemp("logins")
    with personal_login(published.url, home, "maria.nowak", "--role", "analyst") as made:
        yield made


def test_what_the_page_says_of_psql_shows_what_each_column_means(login: dict[str, str], tmp_path: Path) -> None:
    command, *typed = block_of(PAGE, f'psql "{DEMO} user=maria.nowak"').splitlines()
    at = f"host={login['PGHOST']} port={login['PGPORT']} dbname={login['PGDATABASE']}"
    connection = command.removeprefix("psql ").strip('"').replace(DEMO, at)
    passwords = tmp_path / ".pgpass"
    passwords.write_text(":".join(login[f"PG{part}"] for part in ("HOST", "PORT", "DATABASE", "USER", "PASSWORD")))
    passwords.chmod(0o600)
    done = subprocess.run(
        [postgres_program("psql"), "--no-psqlrc", "--no-password", connection],
        input="\n".join(typed),
        env={"PATH": os.environ["PATH"], "PGPASSFILE": str(passwords)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and done.stderr == ""
    assert "The Polish tax number (NIP), ten digits." in done.stdout


def test_what_the_page_says_of_pandas_reads_a_mart(
    login: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (block,) = blocks(PAGE, "python")
    monkeypatch.setenv("PGPASSWORD", login["PGPASSWORD"])
    address = '"127.0.0.1", 54329, "warehouse"'
    assert block.text.count(address) == 1
    code = block.text.replace(address, f'"{login["PGHOST"]}", {login["PGPORT"]}, "{login["PGDATABASE"]}"')
    names = run_cells([code], tmp_path / "cell.py")[1]
    assert list(names["owed"].columns) == ["age", "owed_pln"] and len(names["owed"]) > 0
    names["engine"].dispose()


def test_the_analysts_notebook_runs_from_its_first_cell_to_its_last_and_holds_nobodys_data(
    login: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in login.items():
        monkeypatch.setenv(name, value)
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    assert [cell for cell in cells if cell["outputs"] or cell["execution_count"]] == []
    shown, names = run_cells(["".join(cell["source"]) for cell in cells], tmp_path / "cell.py")
    names["engine"].dispose()
    assert [len(each) for each in shown if isinstance(each, pd.DataFrame | pd.Series)] == [
        len({system for systems in names["customers"]["systems"] for system in systems}),
        len(names["origin"]),
        3,
        len(names["owed"]),
    ]
    assert len(names["history"]) >= len(names["customers"]) > 1 and len(names["origin"]) > 1
    assert {*names["owed"]["age"]} <= {*names["ages"]}
    chart = shown[-1]
    assert isinstance(chart, alt.Chart)
    assert len(next(iter(chart.to_dict()["datasets"].values()))) == len(names["owed"])


def test_a_reader_is_told_why_a_statement_or_a_session_is_refused_in_the_words_of_the_page(
    published: Published, login: dict[str, str]
) -> None:
    def refused(connection: psycopg.Connection, statement: str) -> str:
        with pytest.raises(psycopg.Error) as refusal:
            connection.execute(statement.encode())
        return refusal.value.diag.message_primary or ""

    with as_login(login) as analyst:
        said = [
            refused(analyst, "select * from conformed.customer_version"),
            refused(analyst, "select * from mapped.erp__customer"),
            refused(analyst, "set statement_timeout = '20ms'; select pg_sleep(5)"),
        ]
    with psycopg.connect(published.url, autocommit=True) as owner:
        owner.execute('alter role "maria.nowak" connection limit 0')
        with pytest.raises(psycopg.OperationalError, match="too many connections") as full:
            as_login(login)
        owner.execute('alter role "maria.nowak" connection limit 20')
    said.append(str(full.value).partition("FATAL:  ")[2].replace('"maria.nowak"', "…").strip())
    text = PAGE.read_text()
    assert [message for message in said if message not in text] == []


@pytest.mark.parametrize("schema", ["conformed", "marts"])
def test_what_a_reader_sees_is_the_same_in_every_time_zone(
    published: Published, login: dict[str, str], schema: str
) -> None:
    """Drivers begin a session in the zone of their machine. In these two it is never the same day."""
    views = [
        name
        for (name,) in published.connection.execute(
            "select viewname from pg_views where schemaname = %s and viewname not like %s", (schema, "%\\_unmasked")
        )
    ]
    assert len(views) > 10
    with as_login(login) as analyst:
        seen: list[dict[str, list[str]]] = []
        for zone in ("Etc/GMT+12", "Etc/GMT-14"):
            analyst.execute(sql.SQL("set timezone = {}").format(sql.Literal(zone)))
            seen.append({name: rows(analyst, schema, name) for name in views})
    assert [name for name in views if seen[0][name] != seen[1][name]] == []


def rows(connection: psycopg.Connection, schema: str, view: str) -> list[str]:
    """The view's rows, moments as moments, in an order that does not depend on how they are written."""
    found = connection.execute(sql.SQL("select * from {}").format(sql.Identifier(schema, view))).fetchall()
    return sorted(str([value.timestamp() if isinstance(value, datetime) else value for value in row]) for row in found)


def run_cells(cells: list[str], file: Path) -> tuple[list[object], dict]:
    """Run each cell in the names that those before it have left, as a notebook does: what each shows, and the names.
    `file` is where each is written to be run."""
    names: dict = {}
    shown: list[object] = []
    for cell in cells:
        parsed = ast.parse(cell)
        last = parsed.body[-1]
        if isinstance(last, ast.Expr):
            parsed.body[-1] = ast.Assign([ast.Name("_shown", ast.Store())], last.value)
        file.write_text(ast.unparse(ast.fix_missing_locations(parsed)), encoding="utf-8")
        names = runpy.run_path(str(file), {**names, "_shown": None})
        shown.append(names.pop("_shown"))
    return shown, names
