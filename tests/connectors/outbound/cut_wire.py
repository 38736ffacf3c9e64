"""A wire to a server that fails at a moment of our choice: when the client says a word, such as COMMIT."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

Fault = Literal["answer lost", "request lost", "request late"]


@dataclass
class Wire:
    """Passes on what both sides say, until the client says `word`: from then on as `fault` says, for `times`
    connections. `released` lets go what is late."""

    server: int
    word: bytes = b"COMMIT"
    fault: Fault | None = None
    port: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    passed_on: threading.Event = field(default_factory=threading.Event)
    connections: list[socket.socket] = field(default_factory=list)

    def fail(self, fault: Fault, word: bytes = b"COMMIT") -> None:
        """The next connection that says the word meets the fault."""
        self.fault, self.word = fault, word
        self.released.clear()
        self.passed_on.clear()

    def join(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.server)) as server:
            self.connections += [client, server]
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            with suppress(OSError):
                while heard := client.recv(65536):
                    if self.fault and self.word in heard:
                        fault, self.fault = self.fault, None
                        self._meet(fault, client, server, heard)
                        return
                    server.sendall(heard)
            _end(server)
            back.join(5)

    def _meet(self, fault: Fault, client: socket.socket, server: socket.socket, heard: bytes) -> None:
        _end(client)  # first, so that no answer gets through
        if fault == "request lost":
            _end(server)
        elif fault == "answer lost" or self.released.wait(20):
            with suppress(OSError):
                server.sendall(heard)
                server.shutdown(socket.SHUT_WR)
                while server.recv(65536):  # to its end: the server has done it by then
                    pass
        self.passed_on.set()


@contextmanager
def wire_to(server: int) -> Iterator[Wire]:
    """A wire to this port of the machine."""
    wire = Wire(server)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wire.port = listening.getsockname()[1]

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    threading.Thread(target=wire.join, args=(client,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield wire
        wire.released.set()
        for each in wire.connections:
            _end(each)
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while heard := source.recv(65536):
            target.sendall(heard)
    _end(target)


def _end(side: socket.socket) -> None:
    with suppress(OSError):
        side.shutdown(socket.SHUT_RDWR)
