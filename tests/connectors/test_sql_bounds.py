"""A database that hangs, trickles or sends more than anybody can hold ends a question, not the day."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from onefold.errors import Fatal, Retriable
from onefold.platform.postgres import Postgres
from tests.connectors.databases import Source, keys, on_mariadb, on_postgresql, system
from tests.connectors.test_sql import rows, table


@pytest.fixture(params=["postgresql", "mariadb"])
def source(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[Source]:
    postgresql = request.param == "postgresql"
    with on_postgresql(postgres) if postgresql else on_mariadb(request.getfixturevalue("maria")) as source:
        yield source


@contextmanager
def hanging(port: int, after: threading.Event) -> Iterator[int]:
    """A port that leads to the database until the event; then nothing more comes back, and nobody hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))
    opened: list[socket.socket] = [listening]

    def forward(source: socket.socket, sink: socket.socket, *, back: bool) -> None:
        while piece := _received(source):
            if back and after.is_set():
                return
            _send(sink, piece)

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", port))
            opened.extend((client, server))
            threading.Thread(target=forward, args=(client, server), kwargs={"back": False}, daemon=True).start()
            threading.Thread(target=forward, args=(server, client), kwargs={"back": True}, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        for each in opened:
            each.close()


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _send(sink: socket.socket, piece: bytes) -> None:
    try:
        sink.sendall(piece)
    except OSError:
        return


def test_a_server_that_stops_answering_while_its_machine_lives_is_cut_off(source: Source) -> None:
    source.fill(table(), rows(40))
    parts, silent = urlsplit(source.endpoint.url), threading.Event()
    limits = {"rate": ["1000/s"], "timeout": "PT0.5S", "attempts": 1}
    with hanging(parts.port or 0, silent) as port:
        through = replace(
            source, endpoint=replace(source.endpoint, url=f"{parts.scheme}://127.0.0.1:{port}{parts.path}")
        )
        assert len(keys(through.pages(system("klienci", limits=limits)))) == 40
        began = time.monotonic()
        with through.open(system("klienci", limits=limits)) as database:
            database.ask("SELECT", "klienci", lambda connection: (connection.execute(sa.text("select 1")).scalar(), 1))
            silent.set()
            began = time.monotonic()
            with pytest.raises(Retriable, match=r"no whole answer within 0\.5 s"):
                database.ask("SELECT", "klienci", lambda c: (c.execute(sa.text("select 2")).scalar(), 1))
        assert time.monotonic() - began < 4
    assert len(keys(source.pages(system("klienci", limits=limits)))) == 40


def test_a_page_of_more_than_the_limit_is_refused_while_it_is_read(source: Source) -> None:
    source.fill(table(), rows(40, name="x" * 100_000))
    limits = {"rate": ["1000/s"], "answer_mib": 1}
    with pytest.raises(Fatal, match=r"the first 11 rows of a page have more than 1 MiB \(limits\.answer_mib\)"):
        source.pages(system("klienci", rows=20, limits=limits))
    assert len(keys(source.pages(system("klienci", rows=5, limits=limits)))) == 40
