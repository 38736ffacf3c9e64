"""A chunk as its source counts it, against what was read of it.

The source is asked before and after. A record that is changed meanwhile leaves a window of the past, so what was read
must lie between both counts; where nothing was changed, it must be both. A chunk of which that is not true is read
once more before it is called a mismatch.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.connectors.cursor import cursor_text
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Rejected
from onefold.load import ledger as loads
from onefold.load import steps
from onefold.load.extraction import CountSource, source_count
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.load.usage import Usage
from onefold.migration import ledger
from onefold.migration.ledger import Chunk, Migration
from onefold.warehouse.rows import one_row

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceCount:
    """Numbers of records in a window: the source's own, before and after it was read, and how many were read of it,
    each key once. `unplaced` were read without a key or a time, so the source counts them in this window or not."""

    window: Window
    before: int
    after: int
    read: int
    unplaced: int

    @property
    def agrees(self) -> bool:
        low, high = sorted((self.before, self.after))
        return self.read <= high and low <= self.read + self.unplaced

    def as_json(self) -> dict[str, int]:
        """The numbers as plain JSON containers."""
        return {"before": self.before, "after": self.after, "read": self.read, "unplaced": self.unplaced}


def land_and_count(
    connection: psycopg.Connection, job: Job, migration: Migration, chunk: Chunk, counts: CountSource
) -> None:
    """Land a chunk, and compare it with the source's own count where the source can count.

    Raises Rejected, with the chunk's load rejected and the numbers kept in the chunk, when they differ twice.
    """
    for last in (False, True):
        usage = Usage()
        before = _before(connection, job, chunk, counts, usage)
        load = steps.land(job)
        after = source_count(counts, job.stream_name, chunk.window, usage)
        usage.save(connection, load)
        if before is None or after is None:
            return
        window, number = after
        counted = SourceCount(window, before, number, *_read_of(connection, load, job.stream, window))
        ledger.record_source_count(connection, chunk, counted.as_json())
        if counted.agrees:
            return
        why = Rejected(_mismatch(job, chunk, counted))
        steps.reject(job, why)
        if last:
            ledger.stopped(
                connection, migration, str(why), stream=chunk.stream, chunk=chunk.position, **counted.as_json()
            )
            raise why
        log.warning("%s It is read once more.", why)


def _before(connection: psycopg.Connection, job: Job, chunk: Chunk, counts: CountSource, usage: Usage) -> int | None:
    """The count before the chunk is read; of an attempt that died while it read, or that found the stream busy, the one
    that it had asked for."""
    load, kept = loads.latest(connection, job.system.system, job.stream_name, job.run), chunk.counted or {}
    if (load and load.in_progress) or ("before" in kept and "after" not in kept):
        return kept.get("before")
    found = source_count(counts, job.stream_name, chunk.window, usage)
    if found is None:
        return None
    ledger.record_source_count(connection, chunk, {"before": found[1]})
    return found[1]


def _read_of(connection: psycopg.Connection, load: Load, stream: Stream, window: Window) -> tuple[int, int]:
    """How many records of the window have landed that the source counts too, and how many have no place in time.

    A deleted record is counted where the source only flags it.
    """
    counts = connection.execute(
        sql.SQL(
            """
            select count(distinct _key) filter (
                       where _cursor >= %(start)s and _cursor < %(end)s and (not _deleted or %(flagged)s)
                   ),
                   count(distinct _key) filter (where _cursor is null)
                   + (select count(distinct raw) from landing.unreadable where load_id = %(load_id)s)
            from {}
            """
        ).format(load.tables.pages),
        {
            "start": "" if window.start <= BEGINNING else cursor_text(window.start),
            "end": cursor_text(window.end),
            "flagged": stream.deletes.flag is not None,
            "load_id": load.load_id,
        },
    )
    of_window, unplaced = one_row(counts)
    return of_window, unplaced


def _mismatch(job: Job, chunk: Chunk, counted: SourceCount) -> str:
    window = f"[{counted.window.start:%FT%TZ}, {counted.window.end:%FT%TZ})"
    return (
        f"{job.name}, chunk {chunk.position}: of {window} the source counts {counted.after:,} records "
        f"({counted.before:,} before it was read), and {counted.read:,} were read. Nothing was published. "
        "Clear the task to read the chunk anew; if that does not help, look for pages that the source leaves out, or "
        "for records that share what the stream's YAML calls the primary key."
    )


def of_stream(chunks: list[Chunk]) -> Mapping[str, int]:
    """The sums of a stream's chunks, and of how many of them there are any (`chunks`)."""
    compared = [chunk.counted for chunk in chunks if chunk.counted]
    names = ("before", "after", "read", "unplaced")
    return {name: sum(each[name] for each in compared) for name in names} | {"chunks": len(compared)}
