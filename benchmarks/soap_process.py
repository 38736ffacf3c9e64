"""One landing of the SOAP answer, ours or theirs, in this process: prints rows, seconds and megabytes as JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec
import zeep
from zeep.helpers import serialize_object

from benchmarks.measure import peak_memory
from benchmarks.soap import FIELDS
from onefold.catalog.system import System
from onefold.connectors.page import Page, PageReader
from onefold.connectors.records import Head
from onefold.connectors.rows_on_disk import AGAIN, PAGE
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.extraction import Source, from_system
from onefold.load.job import Job
from onefold.load.ledger import Run

SYSTEM = System.model_validate(
    {
        "system": "bench",
        "title": "A large SOAP answer",
        "protocol": "soap",
        "connection": "bench",
        "schedule": "0 * * * *",
        "wsdl": "/service?wsdl",
        "limits": {"rate": ["1000/s"], "timeout": "PT300S"},
        "streams": {
            "company": {
                "title": "Companies",
                "request": {"operation": "List", "params": {"Since": "{start}"}},
                "records": "Company",
                "primary_key": ["Id"],
                "cursor": {"fields": ["Changed"]},
                "deletes": {"flag": {"field": "IsDeleted", "equals": "true"}},
                "fields": FIELDS,
            }
        },
    }
)


def ours(url: str, warehouse_url: str) -> Source:
    """The source that Onefold reads every SOAP system with."""
    return from_system(SYSTEM, Endpoint(url), warehouse_url, {"bench": SYSTEM}, {})


def theirs(url: str, warehouse_url: str) -> Source:
    """Zeep calls the operation and deserialises its answer; its objects become records of the same landing."""
    head = Head("bench.company", SYSTEM.streams["company"])

    @contextmanager
    def source(stream_name: str, usage: object) -> Iterator[PageReader]:
        client = zeep.Client(f"{url}/service?wsdl", settings=zeep.Settings(xml_huge_tree=True))

        def read(window: object, token: str | None) -> Iterator[Page]:
            at = datetime.now(UTC)
            records = serialize_object(client.service.List(Since=at), dict)
            for first in range(0, len(records), PAGE):
                page = [head.record(msgspec.json.encode(each)) for each in records[first : first + PAGE]]
                yield Page(page, at, AGAIN if first + PAGE < len(records) else None)

        yield read

    return source


def main(whose: str, url: str, warehouse_url: str) -> None:
    # A fork: Linux counts in a program's peak what its process held before it became this program.
    if os.fork():
        _, status = os.wait()
        sys.exit(os.waitstatus_to_exitcode(status))
    job = Job(
        system=SYSTEM,
        stream_name="company",
        run=Run("sync__bench", f"run {whose}", "os:bench"),
        source={"ours": ours, "theirs": theirs}[whose](url, warehouse_url),
        source_url=url,
        warehouse_url=warehouse_url,
        entities={},
        run_is_over=lambda dag_id, run_id: True,
    )
    before = peak_memory()
    began = time.perf_counter()
    load = steps.land(job)
    seconds = time.perf_counter() - began
    print(json.dumps({"rows": load.rows_read, "seconds": seconds, "megabytes": peak_memory() - before}))


if __name__ == "__main__":
    main(*sys.argv[1:])
