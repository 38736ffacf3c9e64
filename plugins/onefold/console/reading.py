"""The console's way into the warehouse: reads only, bounded in time, all figures of a page of one instant.

Personal values it reads for who may see them, and only what is in the audit chain by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import psycopg
from psycopg import sql
from starlette.exceptions import HTTPException

from onefold.console.viewer import Viewer
from onefold.errors import Fatal
from onefold.privacy.recorded_read import RecordedRead
from onefold.settings import CONSOLE_URL, secret, with_verified_tls
from onefold.warehouse.access import CONSOLE_PII
from onefold.warehouse.connection import connect

SECONDS = 10
"""How long one statement of a page may take."""


@contextmanager
def reading() -> Iterator[psycopg.Connection]:
    """One read-only transaction as onefold_console, which sees what engineers see and no personal value.

    Raises Fatal when the API server has no URL for it, Retriable when the warehouse does not answer.
    """
    with connect(_url()) as connection:
        _begin(connection)
        yield connection


@contextmanager
def reading_people(
    viewer: Viewer, statement: sql.Composable, about: Mapping[str, str | int]
) -> Iterator[tuple[psycopg.Connection, RecordedRead]]:
    """The same transaction as a member of onefold_pii, recorded as the viewer's reading of what is `about`; `statement`
    stands for what is read, and the caller says how many rows of it came. What was read may be shown only once the
    block has ended: its end is recorded too.

    Raises HTTPException 403 when the viewer may not; Fatal or psycopg.Error, with nothing to be shown, when it cannot
    be recorded.
    """
    if not viewer.reads_people:
        raise HTTPException(403)
    with connect(_url(), autocommit=True) as recorder, connect(_url()) as connection:
        become = sql.SQL("set role {}").format(sql.Identifier(CONSOLE_PII))
        recorder.execute(become)
        read = RecordedRead(recorder, statement.as_string(recorder), "page", viewer.name, about)
        read.begin()
        result: Literal["ok", "failed"] = "failed"
        try:
            _begin(connection)
            connection.execute(become)
            yield connection, read
            result = "ok"
        finally:
            read.end(result)


def _begin(connection: psycopg.Connection) -> None:
    connection.execute("set transaction isolation level repeatable read read only")
    connection.execute("select set_config('statement_timeout', %s, true)", (f"{SECONDS}s",))


def _url() -> str:
    url = secret(CONSOLE_URL)
    if not url:
        raise Fatal(f"{CONSOLE_URL} is not set for the API server, so it shows nothing. Start it with bin/onefold up.")
    return with_verified_tls(url)
