"""The console's way into the warehouse: reads only, bounded in time, all figures of a page of one instant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from onefold.errors import Fatal
from onefold.settings import CONSOLE_URL, secret, with_verified_tls
from onefold.warehouse.connection import connect

SECONDS = 10
"""How long one statement of a page may take."""


@contextmanager
def reading() -> Iterator[psycopg.Connection]:
    """One read-only transaction as onefold_console, which sees what engineers see and no personal value.

    Raises Fatal when the API server has no URL for it, Retriable when the warehouse does not answer.
    """
    url = secret(CONSOLE_URL)
    if not url:
        raise Fatal(f"{CONSOLE_URL} is not set for the API server, so it shows nothing. Start it with bin/onefold up.")
    with connect(with_verified_tls(url)) as connection:
        connection.execute("set transaction isolation level repeatable read read only")
        connection.execute("select set_config('statement_timeout', %s, true)", (f"{SECONDS}s",))
        yield connection
