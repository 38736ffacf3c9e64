"""Pages → landing: each page and its checkpoint are one transaction, so that a crash costs at most one page.

Landing stores the records' JSON as text, which costs the server a third of jsonb: only what turns out to have changed
is parsed (load/change_detection.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg import sql

from onefold.catalog.fields import fields_fingerprint
from onefold.catalog.stream import Stream
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.load.copy_rows import pack_rows, record_hash
from onefold.load.ledger import Load, discard_landing, forget_shared_rows
from onefold.load.page_writer import PageWriter
from onefold.load.source_slots import slot_statement
from onefold.load.stream_lag import lag_statement
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import SHARED_LANDING_TABLES

MOST_KEY_BYTES = 2500
"""Of a primary key: PostgreSQL indexes at most 2,704 bytes, and the names of system and stream stand beside the key."""
_SURE_CHARACTERS = MOST_KEY_BYTES // 4
PAGES = sql.SQL(
    'create unlogged table {} (_key text collate "C" not null, _cursor text collate "C",'
    " _deleted boolean not null, _hash bytea not null, _extracted_at timestamptz not null,"
    " _payload text not null)"
)
"""Makes a table of landed pages."""
_COLUMNS = sql.SQL("(_key, _cursor, _deleted, _hash, _extracted_at, _payload)")


def open_landing(connection: psycopg.Connection, load: Load) -> None:
    """Make the load's landing table, empty, with a checkpoint at the start."""
    with connection.transaction():
        connection.execute(sql.SQL("drop table if exists {}, {}").format(load.tables.pages, load.tables.listed))
        connection.execute(PAGES.format(load.tables.pages))
        forget_shared_rows(connection, load.load_id)
        connection.execute("insert into landing.resume_token (load_id) values (%s)", (load.load_id,))
        connection.execute(
            "update ops.load set state = 'extracting', pages = 0, rows_read = 0 where load_id = %s",
            (load.load_id,),
        )


def take_over_dry_run(connection: psycopg.Connection, load: Load, dry_run: Load) -> bool:
    """Make what a dry run has read the load's own, all of it at once; False when that is there no longer.

    It is gated anew against staging as it is now. The caller holds the stream's lock.
    """
    progress = read_progress(connection, dry_run)
    if dry_run.state != "dry_run" or progress is None or not progress.complete:
        return False
    with connection.transaction():
        connection.execute(sql.SQL("drop table if exists {}").format(load.tables.pages))
        connection.execute(
            sql.SQL("alter table {} rename to {}").format(dry_run.tables.pages, sql.Identifier(load.tables.pages_name))
        )
        for shared in SHARED_LANDING_TABLES:
            connection.execute(
                sql.SQL("update {} set load_id = %s where load_id = %s").format(sql.Identifier("landing", shared)),
                (load.load_id, dry_run.load_id),
            )
        connection.execute("update landing.resume_token set gated = false where load_id = %s", (load.load_id,))
        connection.execute(
            "update ops.load set pages = %s, rows_read = %s where load_id = %s",
            (dry_run.pages, dry_run.rows_read, load.load_id),
        )
        discard_landing(connection, dry_run.tables)
    return True


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an extraction is: the token of the next page, and whether all pages are in."""

    token: str | None
    complete: bool


def read_progress(connection: psycopg.Connection, load: Load) -> Progress | None:
    """How far the load has landed; None when nothing of it is there (any more)."""
    exists = one_row(connection.execute("select to_regclass(%s)", (load.tables.pages.as_string(connection),)))[0]
    row = connection.execute(
        "select token, complete from landing.resume_token where load_id = %s", (load.load_id,)
    ).fetchone()
    return Progress(*row) if exists and row else None


class Landing:
    """Lands the pages of one load; a context manager, at whose end every page that was given is committed.

    A page is sent with all that its commit needs, and its outcome is asked for only when the next one is ready: the
    server takes one page in while the next is read, split and packed. A failure therefore shows one page late.
    """

    def __init__(self, connection: psycopg.Connection, load: Load, primary_key: list[str]) -> None:
        self._load = load
        self._primary_key = ", ".join(primary_key)
        self._writer = PageWriter(connection)
        self._sent: Page | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.flush()
        else:  # what stopped the reading counts; the page before it comes in if it can
            with suppress(psycopg.Error):
                self.flush()

    def add(self, page: Page) -> None:
        """Send the page: its records, its answers, the ledger's counts and the token of the next page."""
        keyed, unreadable = self._split_by_key(page)
        rows = list(pack_rows(keyed, page.extracted_at))
        self.flush()
        self._send(page, rows, unreadable)

    def flush(self) -> None:
        """Wait until the page sent last is in. If the server could not hold some of its records, it is sent again
        without them."""
        try:
            self._writer.flush()
        except psycopg.DataError:
            if self._sent is None:
                raise
            self._send_again(self._sent)

    def _send_again(self, page: Page) -> None:
        keyed, unreadable = self._split_by_key(page)
        good = []
        for record in keyed:
            if fault := _fault(record):
                unreadable.append(_unreadable(self._load, record, page, fault))
            else:
                good.append(record)
        self._send(page, pack_rows(good, page.extracted_at), unreadable)
        self._writer.flush()

    def _split_by_key(self, page: Page) -> tuple[list[Record], list[sql.Composable]]:
        """The records whose key can be stored, and the statements that store the others as unreadable."""
        keyed = [r for r in page.records if r.key is not None and (len(r.key) <= _SURE_CHARACTERS or _is_short(r.key))]
        if len(keyed) == len(page.records):
            return keyed, []
        unfit = (r for r in page.records if r.key is None or not _is_short(r.key))
        return keyed, [_unreadable(self._load, record, page, self._key_fault(record)) for record in unfit]

    def _key_fault(self, record: Record) -> str:
        if record.key is None:
            return f"the primary key ({self._primary_key}) is missing"
        return f"the primary key ({self._primary_key}) is longer than {MOST_KEY_BYTES} bytes"

    def _send(self, page: Page, rows: Iterable[bytes], unreadable: list[sql.Composable]) -> None:
        # Nothing is lost with the last pages' commits: a crash of the server empties landing anyway.
        copy = sql.SQL("set local synchronous_commit = off; copy {} {} from stdin (format binary)").format(
            self._load.tables.pages, _COLUMNS
        )
        self._sent = page
        also = [*_lookup_results(self._load, page), *_partitions(self._load, page), *_progress(self._load, page)]
        if page.lag:
            also.append(lag_statement(self._load, page.lag))
        if page.slot:
            also.append(slot_statement(self._load, page.slot))
        self._writer.send(copy, rows, [*unreadable, *also])


def _lookup_results(load: Load, page: Page) -> Iterator[sql.Composable]:
    rows = [
        sql.SQL("({}, {}, {}, {}, {})").format(
            load.load_id, answer.key, answer.outcome, page.extracted_at, answer.proof
        )
        for answer in page.lookup_results
        if answer.outcome != "failed"
    ]
    if rows:
        yield sql.SQL("insert into landing.lookup_result values {}").format(sql.SQL(", ").join(rows))


def _partitions(load: Load, page: Page) -> Iterator[sql.Composable]:
    if page.ended:
        rows = [
            sql.SQL("({}, {}, {}, {}, {})").format(load.load_id, p.name, p.checkpoint, p.snapshot_since, p.refused)
            for p in page.ended
        ]
        yield sql.SQL(
            "insert into landing.partition (load_id, partition, checkpoint, snapshot_since, refused) values {}"
        ).format(sql.SQL(", ").join(rows))


def _progress(load: Load, page: Page) -> Iterator[sql.Composable]:
    yield sql.SQL("update landing.resume_token set token = {}, complete = {} where load_id = {}").format(
        page.token, page.token is None, load.load_id
    )
    yield sql.SQL(
        "update ops.load set pages = pages + 1, rows_read = rows_read + {}, last_active = now() where load_id = {}"
    ).format(len(page.records), load.load_id)
    if page.read_until:  # what is published is as old as that, and must not pass for newer
        yield sql.SQL(
            "update ops.load set window_end = greatest(least(window_end, {}), window_start + interval '1 microsecond')"
            " where load_id = {}"
        ).format(page.read_until, load.load_id)


def finish_landing(connection: psycopg.Connection, load: Load, seconds: float, cpu_seconds: float) -> None:
    """All pages are in: state landed. A source that gave no page at all has landed too, with nothing."""
    with connection.transaction():
        connection.execute("update landing.resume_token set complete = true where load_id = %s", (load.load_id,))
        connection.execute(
            "update ops.load set state = 'landed', last_active = now(), seconds_extracting = seconds_extracting + %s,"
            " cpu_seconds = cpu_seconds + %s where load_id = %s",
            (seconds, cpu_seconds, load.load_id),
        )


def mark_gated(connection: psycopg.Connection, load: Load, stream: Stream, seconds: float, cpu_seconds: float) -> None:
    """The gate has passed the load: state gated, in the ledger and with the landed pages; and by which fields."""
    connection.execute("update landing.resume_token set gated = true where load_id = %s", (load.load_id,))
    connection.execute(
        "update ops.load set state = 'gated', last_active = now(), seconds_gating = seconds_gating + %s,"
        " cpu_seconds = cpu_seconds + %s, fields_fingerprint = %s where load_id = %s",
        (seconds, cpu_seconds, fields_fingerprint(stream.fields), load.load_id),
    )


def is_gated(connection: psycopg.Connection, load: Load) -> bool:
    """Whether what the gate passed is still there; a crash of the database empties landing, but not the ledger."""
    row = connection.execute("select gated from landing.resume_token where load_id = %s", (load.load_id,)).fetchone()
    return row is not None and row[0] is True


def landed_keys(connection: psycopg.Connection, load: Load) -> list[str]:
    """The keys of the records that the load has read, each once; they go when it is published."""
    rows = connection.execute(sql.SQL("select distinct _key from {} order by 1").format(load.tables.pages)).fetchall()
    return [key for (key,) in rows]


def _is_short(key: str) -> bool:
    return len(key.encode(errors="surrogatepass")) <= MOST_KEY_BYTES


def _fault(record: Record) -> str | None:
    """Why PostgreSQL cannot hold the record as text; None when it can. Whether it is JSON shows at the gate."""
    if _as_text(record.payload).encode() != record.payload:
        return "the record is not valid UTF-8"
    if record.key and "\0" in record.key:
        return "the primary key holds a character that PostgreSQL cannot store (U+0000)"
    return None


def _unreadable(load: Load, record: Record, page: Page, reason: str) -> sql.Composable:
    return sql.SQL("insert into landing.unreadable values ({}, {}, {}, {}, {})").format(
        load.load_id,
        _as_text(record.payload),
        reason,
        record_hash(record.payload, record.deleted),
        page.extracted_at,
    )


def move_unstorable(connection: psycopg.Connection, load: Load) -> None:
    """Move what is no JSON that PostgreSQL can store from the pages to the unreadable records."""
    connection.execute(
        sql.SQL(
            """
            with gone as (
                delete from {} where not pg_input_is_valid(_payload, 'jsonb')
                returning _payload, _hash, _extracted_at
            )
            insert into landing.unreadable (load_id, raw, reason, _hash, _extracted_at)
            select {}, _payload, 'the record is not storable JSON: '
                   || (select message from pg_input_error_info(_payload, 'jsonb')), _hash, _extracted_at
            from gone
            """
        ).format(load.tables.pages, load.load_id)
    )


def _as_text(payload: bytes) -> str:
    return payload.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
