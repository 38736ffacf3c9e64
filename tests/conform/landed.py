"""One load of a stream from records that a test gives, through its gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from onefold.catalog.reader import read_catalog
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.load import steps
from onefold.load.job import Job
from onefold.load.ledger import Run
from onefold.quality.suite import FOLDER

CATALOG = read_catalog()


def load(url: str, source_name: str, records: Sequence[Record]) -> None:
    """Land, judge and publish these records of system.stream, as its connector gives them."""
    name, _, stream_name = source_name.partition(".")

    @contextmanager
    def source(*_: object) -> Iterator[object]:
        yield lambda window, token: iter([Page(list(records), datetime.now(UTC), None)])

    job = Job(
        system=CATALOG.systems[name],
        stream_name=stream_name,
        run=Run(f"sync__{name}", f"manual__{stream_name}", "os:tester"),
        source=source,
        source_url="https://source.example",
        warehouse_url=url,
        entities=CATALOG.entities,
        suites=FOLDER,
        run_is_over=lambda dag_id, run_id: True,
    )
    for step in (steps.land, steps.gate, steps.publish):
        step(job)
