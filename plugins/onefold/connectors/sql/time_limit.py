"""A question to a database ends, also where the server has stopped answering and its machine has not.

The server's own limits (statement_timeout) are no help against a server that hangs, and keepalives are answered by its
machine. So the connection is cut from here: whoever waits for it then gets an error of the driver.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
import pymysql
import sqlalchemy as sa


@dataclass(slots=True)
class Cut:
    """Whether the connection was cut, because the time was over."""

    done: bool = False


@contextmanager
def cut_after(seconds: float, connection: sa.Connection) -> Iterator[Cut]:
    """Cut the connection when the block has not ended after so long."""
    cut = Cut()
    number = _descriptor(connection)
    if number is None:  # it is closed already, as the block will find
        yield cut
        return

    def over() -> None:
        cut.done = True
        with suppress(OSError), socket.socket(fileno=os.dup(number)) as wire:  # the driver may just have closed it
            wire.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, over)
    timer.daemon = True
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()
        timer.join()


def _descriptor(connection: sa.Connection) -> int | None:
    """The connection's socket; None when it has none any more."""
    driver = connection.connection.driver_connection
    if isinstance(driver, psycopg.Connection):
        return None if driver.closed else driver.fileno()
    if isinstance(driver, pymysql.Connection):
        wire = vars(driver).get("_sock")  # it has no public way
        return wire.fileno() if isinstance(wire, socket.socket) else None
    raise TypeError(f"a connection of {type(driver).__name__}, whose socket is not known")
