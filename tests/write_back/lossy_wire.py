"""A wire to a PostgreSQL that loses answers: of some commits the server learns, and whoever sent them does not."""

from __future__ import annotations

import random
import socket
import threading
from contextlib import suppress

_COMMIT = b"COMMIT"


class LossyWire:
    """Listens on a port of its own. The share `lost` of all commits is carried to the server, and the client is cut off
    at once; the server goes on with what it was sent. Threads of this process carry everything."""

    def __init__(self, server_port: int, lost: float, seed: int) -> None:
        self._server_port, self._lost = server_port, lost
        self._chance = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self.commits = self.losses = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No new connection comes through; those that are there end with their clients."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(client, server), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):  # either side has gone
            while asked := client.recv(1 << 16):
                lose = False
                if _COMMIT in asked:
                    self.commits += 1
                    lose = self._chance.random() < self._lost
                    self.losses += lose
                if lose:  # first, or the answer could be faster
                    client.shutdown(socket.SHUT_RDWR)
                server.sendall(asked)
                if lose:
                    return  # the server's side stays open until it has answered
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while answer := server.recv(1 << 16):
                with suppress(OSError):
                    client.sendall(answer)
                if answer[-6:-1] == b"Z\x00\x00\x00\x05" and client.fileno() < 0:
                    break
        client.close()
        server.close()
