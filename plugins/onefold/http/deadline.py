"""Connections on which an answer is read until a deadline and no longer, however little of it comes at a time.

A socket's own timeout begins anew with each byte that arrives: a header sent one byte every half second outlasts any.
So whoever reads an answer says when it must be there (`reading_until`), and each read waits for what is left of that.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import TYPE_CHECKING

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from onefold.time_limit import within

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST_CONNECT = 10.0
"""Seconds, where a connection has no time limit of its own."""
_DEADLINE: ContextVar[float | None] = ContextVar("deadline of the exchange in progress", default=None)


@contextmanager
def reading_until(deadline: float) -> Iterator[None]:
    """Answers that are read within the block end with TimeoutError at this time (of time.monotonic)."""
    token = _DEADLINE.set(deadline)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


class _TimelySocket(io.RawIOBase):
    """What a socket receives, until the deadline."""

    def __init__(self, connection: socket.socket, received: io.RawIOBase) -> None:
        super().__init__()
        self._connection = connection
        self._received = received

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        if (deadline := _DEADLINE.get()) is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
        return self._received.readinto(buffer)

    def close(self) -> None:
        self._received.close()
        super().close()


class _TimelyAnswer(HTTPResponse):
    """An answer whose status line, headers, body and trailers come within the deadline; a proxy's to CONNECT too."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp = io.BufferedReader(_TimelySocket(sock, self.fp.detach()))


class _TimelyConnecting(HTTPConnection):
    """Connects within its time limit, however many addresses the host has: urllib3 gives each of them all of it, and
    its lookup none."""

    def _new_conn(self) -> socket.socket:
        limit = self.timeout if isinstance(self.timeout, (int, float)) else LONGEST_CONNECT
        until, name = time.monotonic() + limit, self._dns_host
        try:
            addresses = within(limit, lambda: _addresses(name, self.port))
        except TimeoutError:
            raise ConnectTimeoutError(self, f"its name was not looked up within {limit:g} s") from None
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        failed: HTTPError = NewConnectionError(self, "its name has no address")
        try:
            for tried, address in enumerate(addresses):
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._dns_host, self.timeout = address, left / (len(addresses) - tried)
                try:
                    return super()._new_conn()
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failed = error
            raise failed
        finally:
            self._dns_host, self.timeout = name, limit


def _addresses(name: str, port: int) -> list[str]:
    """The addresses of a host, in the order of preference that the machine gives them."""
    found = socket.getaddrinfo(name.strip("[]"), port, allowed_gai_family(), socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class _Connection(_TimelyConnecting):
    response_class = _TimelyAnswer


class _SecureConnection(_TimelyConnecting, HTTPSConnection):
    response_class = _TimelyAnswer


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class TimelyAdapter(HTTPAdapter):
    """Sends requests over such connections, through a proxy too; with `tls` within that context."""

    def __init__(self, *, pool_maxsize: int, max_retries: int, tls: ssl.SSLContext | None = None) -> None:
        self._tls = {"ssl_context": tls} if tls else {}
        super().__init__(pool_maxsize=pool_maxsize, max_retries=max_retries)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **settings: object) -> None:
        super().init_poolmanager(connections, maxsize, block, **settings, **self._tls)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **settings: object) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **settings, **self._tls)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def server_certificate(answer: urllib3.BaseHTTPResponse) -> bytes | None:
    """The server's certificate (DER) of the connection that an answer is still being read from; None without TLS."""
    held = answer.connection
    sock = held.sock if isinstance(held, HTTPConnection) else None
    return sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None
