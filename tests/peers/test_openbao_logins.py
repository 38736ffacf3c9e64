"""Logins of the warehouse that OpenBao makes: each task has one of its own, which is gone with it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from airflow.sdk.configuration import clear_secrets_backends_cache
from psycopg.conninfo import conninfo_to_dict

from onefold.errors import Fatal
from onefold.settings import ROOT, warehouse_url
from onefold.vault import backend, lease
from onefold.warehouse.connection import connect
from tests.load.shop import Shop, record
from tests.peers.openbao import OpenBao, running
from tests.platform.polling import until

pytestmark = pytest.mark.peers
ENGINE = "onefold_vault"
TASK = """
import sys
from onefold.settings import warehouse_url
from onefold.warehouse.connection import connect
with connect(warehouse_url(), autocommit=True) as connection:
    print(connection.execute("select session_user").fetchone()[0], flush=True)
    sys.stdin.read()
"""
SQL = re.compile("^```text\n((?:create|drop) role .*?)\n```", re.MULTILINE | re.DOTALL)
MADE = "select rolname from pg_roles where rolname like 'v-%'"
Grant = Callable[[str, str], None]


@pytest.fixture(scope="module")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with running(tmp_path_factory.mktemp("openbao")) as server:
        server.root.sys.enable_secrets_engine("database")
        yield server


@pytest.fixture
def grant(openbao: OpenBao, warehouse_url: str, loader_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Grant]:
    """Makes database/creds/onefold-loader, with these times, for a warehouse that docs/secrets.md prepares."""
    openbao.prepare()
    database = conninfo_to_dict(loader_url)
    place = f"{database['host']}:{database['port']}/{database['dbname']}"
    prepared, created, revoked = SQL.findall((ROOT / "docs" / "secrets.md").read_text())
    with psycopg.connect(warehouse_url, autocommit=True) as owner:
        owner.execute(prepared.replace("…", "made-for-the-test"))
        owner.execute(f"grant connect on database {database['dbname']} to {ENGINE}")

    def make(default: str, longest: str) -> None:
        engine = openbao.root.secrets.database
        engine.configure(
            "warehouse",
            plugin_name="postgresql-database-plugin",
            allowed_roles=["onefold-loader"],
            connection_url=f"postgresql://{{{{username}}}}:{{{{password}}}}@{place}?sslmode=disable",
            username=ENGINE,
            password="made-for-the-test",
        )
        engine.create_role("onefold-loader", "warehouse", [created], default, longest, [revoked])

    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", backend.NAME)
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps(openbao.settings()))
    monkeypatch.setenv("ONEFOLD_DATABASE_CREDENTIALS", "database/creds/onefold-loader")
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", f"postgresql://{place}")
    clear_secrets_backends_cache()
    yield make
    for login in lease._logins.values():
        login.close()
    lease._logins.clear()
    clear_secrets_backends_cache()
    openbao.root.sys.revoke_prefix("database/creds")
    with psycopg.connect(warehouse_url, autocommit=True) as owner:
        owner.execute(f"drop owned by {ENGINE}")
        owner.execute(f"drop role {ENGINE}")


def made(url: str) -> list[str]:
    """The logins of the vault's that there are."""
    with psycopg.connect(url) as owner:
        return [name for (name,) in owner.execute(MADE)]


def test_a_load_longer_than_its_lease_goes_on_with_a_login_that_is_renewed(
    grant: Grant, shop: Shop, loader_url: str
) -> None:
    grant("2s", "1h")
    shop = replace(shop, url=warehouse_url())
    with connect(shop.url) as connection:
        row = connection.execute("select current_user, session_user, current_setting('statement_timeout')").fetchone()
    assert row == ("onefold_loader", made(loader_url)[0], "6h")
    shop.load([record("a", 1)])
    time.sleep(5)  # more than two leases
    shop.load([record("a", 2), record("b", 2)])
    assert len(made(loader_url)) == 1
    with psycopg.connect(loader_url) as loader:
        owners = loader.execute("select distinct tableowner from pg_tables where schemaname = 'staging'").fetchall()
        assert owners == [("onefold_loader",)]
        assert loader.execute("select count(*) from ops.load where state = 'published'").fetchone() == (2,)


def test_a_load_longer_than_any_lease_keeps_its_session_and_connects_as_the_next_login(
    grant: Grant, shop: Shop, loader_url: str
) -> None:
    grant("2s", "4s")
    shop = replace(shop, url=warehouse_url())
    (first,) = made(loader_url)
    with connect(shop.url, autocommit=True) as connection:
        until(lambda: first not in made(loader_url), 30)
        assert connection.execute("select current_user").fetchone() == ("onefold_loader",)
        connection.execute("create temporary table still as select 1 as number")
        connection.execute("select pg_advisory_lock(1)")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(shop.url)
    shop.load([record("a", 1)])


def test_a_task_that_ends_takes_its_login_along_and_one_that_is_killed_when_its_lease_ends(
    grant: Grant, loader_url: str
) -> None:
    grant("5s", "1h")
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
    for ends in (lambda task: task.stdin.close(), lambda task: task.send_signal(signal.SIGKILL)):
        task = subprocess.Popen(
            [sys.executable, "-c", TASK], env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        user = task.stdout.readline().strip()
        assert made(loader_url) == [user]
        ends(task)
        task.wait(60)
        if task.returncode == 0:
            assert made(loader_url) == []
        else:
            until(lambda: made(loader_url) == [], 30)


def test_a_role_that_is_not_there_is_said(grant: Grant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ONEFOLD_DATABASE_CREDENTIALS", "database/creds/another")
    with pytest.raises(Fatal, match=r"database/creds/another\): the vault at http.* knows no such role"):
        warehouse_url()
