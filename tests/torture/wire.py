"""A TCP proxy between a loading process and PostgreSQL. It reads what passes, message by message, and can act at any.

It knows nothing of the driver or of Onefold: an *order* is any message after which the server may commit. The messages:
postgresql.org/docs/18/protocol-message-formats.html. One thread, the test's own, carries everything.
"""

from __future__ import annotations

import os
import re
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

_QUERY, _PARSE, _SYNC, _COPY_DONE = b"Q", b"P", b"S", b"c"
_READY, _COPY_IN = b"Z", b"G"
_NO_ENCRYPTION = (80877103, 80877104)
"""SSLRequest and GSSENCRequest, which are answered with N."""


@dataclass
class Order:
    """One order to the server, and whether no transaction was open after it: what it did is then committed.

    `statement` is its text, of a Sync the text that was parsed last.
    """

    number: int
    at: float
    message: bytes
    over: bool = False
    statement: bytes = b""


@dataclass(frozen=True)
class Moment:
    """Before the number-th order reaches the server, when half of it has, or after the server has carried it out and
    before the client learns of it; and `seconds` after that."""

    number: int
    phase: Literal["before", "within", "after"] = "after"
    seconds: float = 0.0


Act = Callable[[], bool]
"""What happens at the moment. False: the connection is cut there; True: everything goes on."""


@dataclass
class _Line:
    client: socket.socket
    server: socket.socket
    asked: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)
    unsaid: bytearray = field(default_factory=bytearray)
    begun: bool = False
    copying: bool = False
    statement: bytes = b""
    waiting: deque[Order] = field(default_factory=deque)
    held: Order | None = None


class Wire:
    """Listens on a port of its own and carries connections to the server's port."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def close(self) -> None:
        self._listener.close()

    def url(self, url: str) -> str:
        """The same URL, by way of the wire."""
        return re.sub(r"(@127\.0\.0\.1):\d+/", rf"\1:{self.port}/", url)

    def carry(self, process: int, moment: Moment | None = None, act: Act = lambda: False) -> tuple[list[Order], bytes]:
        """Carry until `process`, the reading end of a pipe, says that its writer has ended.

        Returns the orders that were given, and what the process wrote.
        """
        journey = _Journey(self._server_port, moment, act)
        said = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(process, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(journey.patience()):
                    if key.fileobj is self._listener:
                        journey.accept(self._listener, selector)
                    elif key.fileobj == process:
                        if not (more := os.read(process, 65536)):
                            journey.cut(selector)
                            return journey.orders, said
                        said += more
                    elif key.data in journey.lines:
                        journey.pass_on(key.data, key.fileobj, selector)
                journey.at_its_time(selector)


class _Journey:
    """What one process says to the server, over one or more connections."""

    def __init__(self, server_port: int, moment: Moment | None, act: Act) -> None:
        self.orders: list[Order] = []
        self.lines: list[_Line] = []
        self._server_port, self._moment, self._act = server_port, moment, act
        self._due: float | None = None

    def accept(self, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        client, _ = listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self._server_port))
        except OSError:  # it is down, and so the client finds it
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = _Line(client, server)
        self.lines.append(line)
        selector.register(client, selectors.EVENT_READ, line)
        selector.register(server, selectors.EVENT_READ, line)

    def pass_on(self, line: _Line, end: socket.socket, selector: selectors.BaseSelector) -> None:
        try:
            data = end.recv(262144)
            if data and end is line.client:
                line.asked += data
                self._to_server(line, selector)
            elif data:
                line.answered += data
                self._to_client(line, selector)
        except OSError:
            data = b""
        if not data:
            self._cut(line, selector)

    def patience(self) -> float | None:
        return None if self._due is None else max(0.0, self._due - time.monotonic())

    def at_its_time(self, selector: selectors.BaseSelector) -> None:
        if self._due is not None and time.monotonic() >= self._due:
            self._due = None
            if not self._act():
                self.cut(selector)

    def cut(self, selector: selectors.BaseSelector) -> None:
        for line in list(self.lines):
            self._cut(line, selector)

    def _cut(self, line: _Line, selector: selectors.BaseSelector) -> None:
        if line in self.lines:
            self.lines.remove(line)
            for end in (line.client, line.server):
                selector.unregister(end)
                end.close()

    def _to_server(self, line: _Line, selector: selectors.BaseSelector) -> None:
        while line.held is None and line in self.lines and (message := _cut_off(line.asked, line.begun)):
            if not line.begun:
                self._begin(line, message)
                continue
            order = self._order(line, message)
            here = self._moment if order and self._moment and order.number == self._moment.number else None
            if here and here.phase != "after":
                if here.phase == "within":
                    line.server.sendall(message[: len(message) // 2])
                if not self._act():
                    self.cut(selector)
                    return
                message = message[len(message) // 2 :] if here.phase == "within" else message
            line.server.sendall(message)
            if here and here.phase == "after":
                if here.seconds:
                    self._due = time.monotonic() + here.seconds
                else:
                    line.held = order

    def _begin(self, line: _Line, message: bytes) -> None:
        if struct.unpack("!i", message[4:8])[0] in _NO_ENCRYPTION:
            line.client.sendall(b"N")
        else:
            line.begun = True
            line.server.sendall(message)

    def _order(self, line: _Line, message: bytes) -> Order | None:
        kind = message[:1]
        if kind in (_QUERY, _PARSE):
            line.statement = message[5:205].split(b"\0", 1)[kind == _PARSE]
        if kind not in (_QUERY, _SYNC) and not (kind == _COPY_DONE and line.copying):
            return None
        order = Order(len(self.orders) + 1, time.monotonic(), message[:200], statement=line.statement)
        self.orders.append(order)
        line.waiting.append(order)
        return order

    def _to_client(self, line: _Line, selector: selectors.BaseSelector) -> None:
        while message := _cut_off(line.answered, begun=True):
            line.unsaid += message
            done = self._answer(line, message)
            if done is not None and done is line.held:
                if not self._act():
                    self.cut(selector)
                    return
                line.held = None
        if line.held is None:  # else the client must not learn of it yet
            line.client.sendall(line.unsaid)
            line.unsaid.clear()
            self._to_server(line, selector)

    def _answer(self, line: _Line, message: bytes) -> Order | None:
        """The order that this message ends, if any. A COPY that was begun by a query ends with its CopyDone; one in the
        extended protocol with the Sync behind it, and the Sync that began it is never answered."""
        kind = message[:1]
        if kind == _COPY_IN:
            order = line.waiting.popleft()
            line.copying = order.message[:1] == _QUERY
            return order
        if kind == _READY:
            line.copying = False
            if line.waiting:
                order = line.waiting.popleft()
                order.over = message[5:6] == b"I"
                return order
        return None


def _cut_off(buffer: bytearray, begun: bool) -> bytes:
    """The first whole message, taken off the buffer; nothing where it is not whole yet."""
    kind = 1 if begun else 0
    if len(buffer) < kind + 4:
        return b""
    length = kind + struct.unpack_from("!i", buffer, kind)[0]
    if len(buffer) < length:
        return b""
    message = bytes(buffer[:length])
    del buffer[:length]
    return message
