"""Reads the pages of a load's window from its source into landing, as far as they are not there yet."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import psycopg

from onefold.connectors.key_listing import SLACK
from onefold.connectors.listing import is_listed_whole
from onefold.connectors.page import Page, PageReader
from onefold.connectors.record import Record
from onefold.connectors.registry import connector_class
from onefold.connectors.stored_position import anew
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.load import landing
from onefold.load.checkpoints import rolled_back_before, stored_checkpoints
from onefold.load.confirmed_listing import confirmed
from onefold.load.delete_detection import lacks_records
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.load.page_bounds import bounded
from onefold.load.usage import Usage

log = logging.getLogger(__name__)


def extract(connection: psycopg.Connection, job: Job, load: Load, token: str | None) -> None:
    """Bring in the source's pages that come after the token; what was asked for them is counted in any case.

    Raises what the source raises, and Fatal when the job has none.
    """
    if job.source is None:
        raise Fatal(f"{job.name}: there is no source to read from, and no replay either. Please report it as a bug.")
    usage = Usage()
    try:
        with (
            job.source(job.stream_name, usage) as pages,
            landing.Landing(connection, load, job.stream.primary_key) as landed,
        ):
            found = _read(connection, job, load, pages, landed, token)
            before = load.pages if token else 0
            for number, page in enumerate(bounded(found, job.system.limits, job.name, before), start=1):
                landed.add(page)
                log.info("%s load %s: page %s, %s records", job.name, load.load_id, number, len(page.records))
    finally:
        usage.save(connection, load)


def _read(
    connection: psycopg.Connection, job: Job, load: Load, pages: PageReader, landed: landing.Landing, token: str | None
) -> Iterator[Page]:
    """The window's pages; those of a stream that is listed whole, or swept, a second time where the first lack
    something."""
    window, can = _window(connection, job, load), connector_class(job.system).capabilities
    if job.sweep:
        pages = _keys_of(pages)
    if can.by_key or not (job.sweep or is_listed_whole(can, job.stream)):
        return pages(window, token)

    def lacks() -> bool:
        landed.flush()
        return lacks_records(connection, load)

    return confirmed(pages, window, token, lacks, job.name)


def _keys_of(read: PageReader) -> PageReader:
    """The pages with records that are no more than their keys: all that a sweep compares."""

    def keys(window: Window, token: str | None) -> Iterator[Page]:
        for page in read(window, token):
            yield replace(page, records=[_key_of(each) for each in page.records])

    return keys


def _key_of(record: Record) -> Record:
    return record if record.key is None else Record(record.key, None, False, record.key.encode())


def _window(connection: psycopg.Connection, job: Job, load: Load) -> Window:
    """The load's window with the source's checkpoints; a window that a run names starts without any."""
    if job.sweep:
        return Window(load.window_start, load.window_end + SLACK)
    log_read = connector_class(job.system).capabilities.lets_go
    if job.anew:
        return replace(load.window, anew=True)
    if log_read and job.requested.exactly:
        raise Fatal(
            f"{job.name} is read from a log of changes, on from the published position, and has no windows of the "
            f"past. Nothing was loaded. To read it whole and compare: {anew(job.name)}"
        )
    if job.requested.exactly:
        return replace(load.window, scope=job.requested.scope)
    if log_read and (gone := rolled_back_before(connection, job.system.system, job.stream_name)):
        raise Fatal(
            f"{job.name}: load {gone} was rolled back, and the source does not tell its changes again: what follows "
            "would be published without them. Nothing was loaded. Undo that rollback, or load the stream anew, which "
            f"reads it whole and compares: {anew(job.name)} (docs/events.md)."
        )
    return replace(load.window, checkpoints=stored_checkpoints(connection, job.system.system, job.stream_name))
