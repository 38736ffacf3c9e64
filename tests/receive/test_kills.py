"""The service and PostgreSQL die under load: what was answered is stored, and what was sent again is stored once."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from onefold.platform.postgres import Postgres, free_port
from onefold.platform.postgres_account import delete_data
from onefold.platform.secrets import load_secrets
from tests.effort import TORTURE
from tests.kills import count_kill
from tests.receive.signers import NOW, SENDERS, event

ROOT = Path(__file__).resolve().parents[2]
STRIPE = SENDERS["stripe"]
MIGRATIONS = ROOT / "plugins" / "onefold" / "warehouse" / "migrations"
LIVES = 50 if TORTURE else 2
"""Of the service; in each of them PostgreSQL is killed, and at its end it is."""
SENDING = 8
ANSWERS = 150
"""Before each of the two is killed."""


class Senders:
    """Threads that post events; each one again and again until it is answered, as senders do."""

    def __init__(self, port: int) -> None:
        self.answered: list[str] = []
        self.more = threading.Event()
        self._url = f"http://127.0.0.1:{port}/hooks/s/stripe"
        self._numbers = itertools.count(1)
        self._ended = False
        self._threads = [threading.Thread(target=self._send) for _ in range(SENDING)]
        for each in self._threads:
            each.start()

    def end(self) -> None:
        self._ended = True
        for each in self._threads:
            each.join()

    def wait_for(self, more: int) -> None:
        """Until so many more were answered."""
        until, deadline = len(self.answered) + more, time.monotonic() + 60
        while len(self.answered) < until:
            assert time.monotonic() < deadline, "the service does not answer"
            self.more.wait(1)
            self.more.clear()

    def _send(self) -> None:
        with httpx.Client(timeout=10) as client:
            while not self._ended:
                number = next(self._numbers)
                body = event(number)
                while not self._post(client, body):
                    if self._ended:
                        return
                self.answered.append(f"evt_{number}")
                self.more.set()

    def _post(self, client: httpx.Client, body: bytes) -> bool:
        try:
            answer = client.post(self._url, content=body, headers=STRIPE.sign(STRIPE.secret, body, NOW))
        except httpx.TransportError:
            return False
        return answer.status_code == 200


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Postgres]:
    """A PostgreSQL that may be killed, with nothing but the inbox; what it commits is on disk (fsync)."""
    server = Postgres(tmp_path, free_port())
    server.start()
    try:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("create role onefold_definer; create role onefold_receiver login")
            for name in ("0600_inbox.sql", "repeatable/18_inbox.sql"):
                connection.execute((MIGRATIONS / name).read_bytes())
            connection.execute(
                "grant usage on schema inbox to onefold_definer, onefold_receiver;"
                " grant select, insert on inbox.event to onefold_definer"
            )
            password = sql.Literal(load_secrets(server.home).database["onefold_receiver"])
            connection.execute(sql.SQL("alter role onefold_receiver password {}").format(password))
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        delete_data(server.home)


@contextmanager
def service(url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The service as a process of its own, killed at the end."""
    process = subprocess.Popen([sys.executable, "-m", "tests.receive.serve", url, str(port)], cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_what_was_answered_is_stored_once_however_often_the_service_or_postgresql_is_killed(
    own_server: Postgres,
) -> None:
    port, url = free_port(), own_server.url("postgres", "onefold_receiver")
    senders = Senders(port)
    try:
        for _ in range(LIVES):
            with service(url, port) as process:
                senders.wait_for(ANSWERS)
                own_server.stop(signal.SIGQUIT)
                count_kill("receiver", "server")
                own_server.start()
                senders.wait_for(ANSWERS)
                assert process.poll() is None, "the service outlives its database"
            count_kill("receiver", "process")
    finally:
        senders.end()
    with psycopg.connect(own_server.url()) as connection:
        found = [event_id for (event_id,) in connection.execute("select event_id from inbox.event").fetchall()]
    assert len(senders.answered) >= 2 * LIVES * ANSWERS
    assert set(senders.answered) <= set(found)
    assert len(found) == len(set(found)), "none twice"
