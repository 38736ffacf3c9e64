"""A made-up office that drops files: its system, its folder, and loads from it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from onefold.catalog.system import System
from onefold.connectors.files.store import Folder
from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import BEGINNING, Window
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from tests.connectors.reading import reader

HEADER = "nr;data;kwota;opis"

OFFICE = {
    "system": "office",
    "title": "An office",
    "protocol": "files",
    "connection": "office",
    "schedule": "0 * * * *",
    "streams": {
        "entry": {
            "title": "Entries",
            "request": {"path": "in/*.csv"},
            "format": {"kind": "csv", "encoding": "cp1250", "delimiter": ";", "decimal": ",", "dates": "%d.%m.%Y"},
            "primary_key": ["nr"],
            "cursor": {"fields": ["changed"], "of": "file"},
            "volatile": ["_file"],
            "fields": {
                "nr": "text",
                "data": "date",
                "kwota": "numeric",
                "opis": "text",
                "changed": {"path": "_file.modified", "type": "timestamp"},
            },
        }
    },
}

SUITE = """
name: office__entry
expectations:
  - {type: expect_column_values_to_be_null, kwargs: {column: _unparsed}}
  - {type: expect_column_values_to_be_null, kwargs: {column: _unmapped}}
"""

YESTERDAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)

_runs = itertools.count(1)


def office(**changed: object) -> System:
    """The office's system; `changed` replaces keys of its one stream."""
    stream = {**OFFICE["streams"]["entry"], **changed}
    return System.model_validate({**OFFICE, "streams": {"entry": stream}})


def csv(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *rows, ""]).encode("cp1250")


@dataclass
class Office:
    """A folder that somebody drops files into, and the warehouse that they are loaded into."""

    root: Path
    url: str
    suites: Path
    system: System = field(default_factory=office)

    def drop(self, name: str, content: bytes, *, minutes: float = 0) -> Path:
        path = self.root / "in" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content)
        at = (YESTERDAY + timedelta(minutes=minutes)).timestamp()
        os.utime(path, (at, at))
        return path

    def reader(self) -> PageReader:
        store = Folder(self.root, "office")
        return reader(self.system, "entry", Endpoint(self.root.as_uri()), store, lambda after, changed: iter(()))

    def load(self, **how: object) -> Load:
        @contextmanager
        def source(stream_name: str, usage: object) -> Iterator[PageReader]:
            yield self.reader()

        job = Job(
            system=self.system,
            stream_name="entry",
            run=how.pop("run", Run("sync__office", f"manual__{next(_runs)}", "os:tester")),
            source=how.pop("source", source),
            source_url=self.root.as_uri(),
            warehouse_url=self.url,
            entities={},
            suites=self.suites,
            run_is_over=lambda dag_id, run_id: True,
            **how,
        )
        steps.land(job)
        steps.gate(job)
        return steps.publish(job)

    def query(self, text: str) -> list[tuple]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(text).fetchall()

    def current(self) -> dict[str, tuple[str, str]]:
        rows = self.query("select _key, _payload ->> 'kwota', _payload ->> 'opis' from staging.office__entry__current")
        return {key: (amount, text) for key, amount, text in rows}

    def quarantine(self) -> list[tuple[str, str, str]]:
        return self.query("select coalesce(_key, raw), reason, state from ops.quarantine order by quarantine_id")


def read(office: Office, states: dict[str, str] | None = None, start: datetime = BEGINNING) -> list[Page]:
    return list(office.reader()(Window(start, datetime.now(UTC), states or {}), None))


def keys(pages: list[Page]) -> list[str | None]:
    return [record.key for page in pages for record in page.records]


def states(pages: list[Page]) -> dict[str, str]:
    return {part.name: part.checkpoint or "" for page in pages for part in page.ended}


def refused(pages: list[Page]) -> dict[str, str]:
    return {part.name: part.refused for page in pages for part in page.ended if part.refused}
