"""Writing to an SAP CAP server by OData v4 and v2, behind CSRF protection: every outcome is true in its own tables."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.reader import read_systems
from onefold.connectors.outbound.contract import Change, Outbound, Place, Result
from onefold.connectors.outbound.registry import open_outbound
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from tests.peers.node import Node, serving

pytestmark = pytest.mark.peers
CDS = "node_modules/@sap/cds/bin"
CRM = Path(__file__).parent / "sap_cap_crm"
FIELDS = {
    "name": "Źółć 'O' „Ł” 😀",
    "credit": Decimal("1234567890123.10"),
    "born": date(1969, 12, 31),
    "seen": datetime(2026, 7, 1, 12, 0, 0, 120_000, UTC),
    "addresses/city": "Łódź",
}
KINDS = {"name": "text", "credit": "number", "born": "date", "seen": "timestamp", "addresses/city": "text"}


@contextmanager
def served(node: Node, folder: Path) -> Iterator[tuple[str, sqlite3.Connection]]:
    """The server's address, and a connection to the file of its database."""
    shutil.rmtree(folder / "db")
    shutil.rmtree(folder / "srv")
    (folder / "srv").mkdir()
    shutil.copy(CRM / "crm.cds", folder / "srv")
    for name in ("csrf.js", "server.js"):
        shutil.copy(CRM / name, folder)
    deploy = subprocess.run([node.program, f"{CDS}/deploy.js"], cwd=folder, capture_output=True, timeout=120)
    assert deploy.returncode == 0, deploy.stderr.decode()[-2000:]
    source = sqlite3.connect(folder / "shop.sqlite")
    with serving(node, folder, f"{CDS}/serve.js", "all", path="/") as url:
        yield url.replace("127.0.0.1", "localhost"), source
    source.close()


def opened(url: str, version: int, attempts: list) -> Outbound:
    system = read_systems()["sap_v4"]
    path = f"/odata/v{version}/crm/Partners"
    place = Place("crm", system, path, "ID", "ref", {"ID": "uuid", **KINDS}, timedelta(seconds=5))
    return open_outbound(
        f"odata_v{version}", place, Endpoint(url, "alice", "none", {"rate": "100000/s"}), attempts.append,
        limiter=MemoryLimiter(), breakers=SyncCircuitBreakerFactory(default_threshold=1000),
    )  # fmt: skip


@pytest.mark.parametrize("version", [4, 2])
def test_what_is_written_to_a_cap_server_is_in_its_tables(node: Node, tmp_path: Path, version: int) -> None:
    with served(node, node.installed("sap_cap", tmp_path / "cap")) as (url, source):
        proven(url, source, version)


def proven(url: str, source: sqlite3.Connection, version: int) -> None:
    attempts: list = []
    with opened(url, version, attempts) as outbound:

        def write(change: Change):
            (outcome,) = outbound.apply([change])
            return outcome

        made = write(Change("1", "create", "r1", None, FIELDS))
        assert made.result is Result.DONE, made
        assert [each.status for each in attempts] == [403, 200, 201]
        (current,) = outbound.find(["r1"])
        assert {name: current.fields[name] for name in FIELDS} == FIELDS
        assert (current.key, current.version) == (made.key, made.version)
        assert source.execute("select count(*), max(name) from Crm_Partners").fetchone() == (1, FIELDS["name"])
        assert source.execute("select city, partner_ID from Crm_Addresses").fetchall() == [("Łódź", made.key)]
        change = Change("2", "update", "r1", made.key, {"name": "Nowa"}, made.version)
        assert write(change).result is Result.DONE
        assert write(dataclasses.replace(change, fields={"name": "Stara"})).result is Result.MOVED
        there = dataclasses.replace(change, id="3", key=str(uuid.uuid4()))
        assert write(there).result is Result.MOVED
        exists = write(Change("4", "create", "r4", None, {"ID": made.key, "name": "x"}))
        assert exists.result in (Result.AMBIGUOUS, Result.REFUSED) and outbound.find(["r4"]) == []
        outbound._http._wire._session.cookies.clear()
        assert write(Change("5", "create", "r5", None, {"name": "y"})).result is Result.DONE
        assert write(Change("6", "create", "r6", None, {"credit": 1})).result is not Result.DONE  # name is mandatory
        now = outbound.read([made.key])[0].version
        assert write(dataclasses.replace(change, kind="delete", version=now)).result is Result.DONE
    assert source.execute("select ref, name from Crm_Partners").fetchall() == [("r5", "y")]
