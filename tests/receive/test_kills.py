"""The service dies under load: what was answered is stored, and what was sent again is stored once."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psycopg

from onefold.platform.postgres import free_port
from tests.effort import TORTURE
from tests.receive.signers import NOW, SENDERS, event
from tests.roles import as_role

ROOT = Path(__file__).resolve().parents[2]
STRIPE = SENDERS["stripe"]
KILLS = 50 if TORTURE else 3
SENDING = 8
ANSWERS = 150
"""Answers of one life of the service before it is killed."""


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


def test_what_was_answered_is_stored_once_however_often_the_service_is_killed(warehouse_url: str) -> None:
    port = free_port()
    senders = Senders(port)
    try:
        for _ in range(KILLS):
            command = [sys.executable, "-m", "tests.receive.serve", as_role(warehouse_url, "onefold_receiver")]
            service = subprocess.Popen([*command, str(port)], cwd=ROOT)
            try:
                senders.wait_for(ANSWERS)
            finally:
                service.send_signal(signal.SIGKILL)
                service.wait()
    finally:
        senders.end()
    with psycopg.connect(warehouse_url) as connection:
        found = [event_id for (event_id,) in connection.execute("select event_id from inbox.event").fetchall()]
    assert len(senders.answered) >= KILLS * ANSWERS
    assert set(senders.answered) <= set(found)
    assert len(found) == len(set(found)), "none twice"
