"""Some pages of each stream, into temporary tables of one session: never into staging, and gone when the session ends.

PostgreSQL drops a session's temporary tables when it ends, however it ends, and what a crash of the server leaves of
them when it starts again.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import psycopg
from psycopg import sql

from onefold.catalog.system import System
from onefold.connectors.connector import Connector, StreamSource, Transport
from onefold.connectors.counting import counter
from onefold.connectors.lookup import LookupKeys, LookupScope
from onefold.connectors.page import Page
from onefold.connectors.past import history
from onefold.connectors.registry import OpenTransport, connector_class, open_transport
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import OnefoldError
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint

ATTEMPTS = 2
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is asked of each stream: pages (None: all), of a look-up so many keys (None: all)."""

    pages: int | None = 3
    keys: int | None = 25


@dataclass(frozen=True, slots=True)
class StreamRead:
    """What one stream gave. `not_read` says why it gave nothing; `complete` whether the pages were all; `counted` what
    the source itself counts, and `monthly` by month (2026-03), None where it cannot, or would not: `not_counted` says
    why. Bytes and milliseconds are of
    all requests."""

    system: str
    stream: str
    not_read: str | None = None
    records: int = 0
    pages: int = 0
    keyless: int = 0
    complete: bool = False
    counted: int | None = None
    monthly: tuple[tuple[str, int], ...] | None = None
    requests: int = 0
    bytes: int = 0
    milliseconds: float = 0.0
    quota_used: int | None = None
    quota: int | None = None
    not_counted: str | None = None

    @property
    def name(self) -> str:
        return f"{self.system}.{self.stream}"


def table_of(system: str, stream: str) -> sql.Identifier:
    """The temporary table with the records of a stream: _key, _cursor, _deleted, _payload."""
    return sql.Identifier("pg_temp", f"survey_{system}__{stream}")


def read_stream(
    connection: psycopg.Connection,
    system: System,
    name: str,
    endpoint: Endpoint,
    bounds: Bounds,
    keys: Sequence[str] = (),
    transport: OpenTransport = open_transport,
) -> StreamRead:
    """Read some pages of the stream within the system's own limits. What cannot be read says why; nothing is raised."""
    connection.execute(
        sql.SQL("create temp table {} (_key text, _cursor text, _deleted boolean not null, _payload jsonb)").format(
            table_of(system.system, name)
        )
    )
    if connector_class(system).capabilities.acknowledges:
        return StreamRead(system.system, name, "reading takes its records out of the source's queue: not surveyed")
    if system.streams[name].lookup and not keys:
        return StreamRead(system.system, name, "it is asked about values that other systems name, and none named any")
    attempts: list[Attempt] = []
    patient = system.model_copy(update={"limits": system.limits.model_copy(update={"attempts": ATTEMPTS})})
    source = StreamSource(patient, name, endpoint, _asked(keys) if system.streams[name].lookup else None)
    pages = None if system.streams[name].lookup else bounds.pages
    make = connector_class(patient)
    try:
        with transport(patient, endpoint, attempts.append, stream=name) as opened:
            counted, monthly, not_counted = _try_to_count(make(source, opened))
            if not_counted is None:
                read = _read(connection, make(source, opened), pages)
        if not_counted is not None:  # the error may have spoilt what was open: a transaction, a session
            with transport(patient, endpoint, attempts.append, stream=name) as opened:
                read = _read(connection, make(source, opened), pages)
    except OnefoldError as error:
        return StreamRead(system.system, name, str(error), requests=len(attempts))
    return StreamRead(
        system.system,
        name,
        None,
        *read,
        counted=counted,
        monthly=monthly,
        not_counted=not_counted,
        requests=len(attempts),
        bytes=sum(each.bytes for each in attempts),
        milliseconds=sum(each.milliseconds for each in attempts),
        quota_used=next((each.used for each in reversed(attempts) if each.used is not None), None),
        quota=next((each.limit for each in reversed(attempts) if each.limit is not None), None),
    )


def _asked(keys: Sequence[str]) -> LookupKeys:
    ordered = sorted(set(keys))

    def ask(after: str | None, changed: Iterable[str], scope: LookupScope = "open") -> Iterator[str]:
        return (key for key in ordered if after is None or key > after)

    return ask


def _read(
    connection: psycopg.Connection, connector: Connector[Transport], most: int | None
) -> tuple[int, int, int, bool]:
    """Records, pages, records without a key, and whether that was all."""
    source = connector.source
    now = datetime.now(UTC)
    first = history(source.system, source.stream_name, now)
    start = now - timedelta(days=1) if source.stream.lookup else max(first or BEGINNING, BEGINNING)
    records = pages = keyless = 0
    token: str | None = None
    table = table_of(source.system.system, source.stream_name)
    with closing(_closable(connector.read(Window(start, now), None))) as read:
        for page in islice(read, most):
            pages, token = pages + 1, page.token
            records += len(page.records)
            keyless += sum(record.key is None for record in page.records)
            _take(connection, table, page)
    return records, pages, keyless, token is None


def _take(connection: psycopg.Connection, table: sql.Composable, page: Page) -> None:
    """Add the page's records, but for those that PostgreSQL cannot hold: a load keeps such in quarantine."""
    connection.execute(
        "create temp table if not exists survey_page (_key text, _cursor text, _deleted boolean, raw text)"
    )
    connection.execute("truncate survey_page")
    with connection.cursor() as cursor, cursor.copy("copy survey_page from stdin") as rows:
        for record in page.records:
            raw = record.payload.decode("utf-8", errors="replace")
            if not any("\0" in text for text in (raw, record.key, record.cursor) if text):
                rows.write_row((record.key, record.cursor, record.deleted, raw))
    connection.execute(
        sql.SQL(
            "insert into {} select _key, _cursor, _deleted, raw::jsonb from survey_page"
            " where pg_input_is_valid(raw, 'jsonb')"
        ).format(table)
    )


def _closable(pages: Iterator[Page]) -> Generator[Page]:
    """An iterator need not have `close`; a generator has, and so has what it yields from."""
    yield from pages


def _try_to_count(
    connector: Connector[Transport],
) -> tuple[int | None, tuple[tuple[str, int], ...] | None, str | None]:
    """As _count, and why there are no counts where it refused: the records may be read all the same."""
    try:
        return (*_count(connector), None)
    except OnefoldError as error:
        return None, None, str(error)


def _count(connector: Connector[Transport]) -> tuple[int | None, tuple[tuple[str, int], ...] | None]:
    """What the source counts of the whole stream, and of the last months where that is one request."""
    counts = counter(connector)
    if counts is None:
        return None, None
    now = datetime.now(UTC)
    whole = counts.exactly(Window(BEGINNING, now))
    if counts.at_once < MONTHS + 1:
        return (whole[1] if whole else None), None
    starts = [now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)]
    for _ in range(MONTHS):
        starts.append((starts[-1] - timedelta(days=1)).replace(day=1))
    starts.reverse()
    windows = [Window(start, end) for start, end in pairwise(starts)]
    counted = counts.count(windows)
    monthly = tuple((f"{window.start:%Y-%m}", number) for window, number in zip(windows, counted, strict=True))
    return (whole[1] if whole else None), monthly
