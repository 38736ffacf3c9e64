"""A bucket of an S3-compatible store gives what the folder behind it gives, by signed requests that are all counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.reader import read_systems
from onefold.connectors.files import bucket
from onefold.connectors.files.bucket import Bucket
from onefold.connectors.files.opening import open_store
from onefold.connectors.files.store import Folder
from onefold.connectors.page import Page
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, Retriable
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from sandbox.accounting.files import ACCESS_KEY, SECRET_KEY
from sandbox.process import Sandbox, running
from tests.connectors.reading import reader

ACCOUNTING = read_systems()["accounting"]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    few = {"SANDBOX_S3_KEYS": "2", "SANDBOX_ACCOUNTING_PAGE": "40"}
    with running(tmp_path_factory.mktemp("sandbox"), 120, environment=few) as sandbox:
        yield sandbox
        requests.delete(f"{sandbox.url}/control/faults", timeout=10)


@dataclass
class Reading:
    """One stream of accounting, read from the bucket."""

    sandbox: Sandbox
    host: str = "s3://onefold"
    secret: str = SECRET_KEY
    attempts: list[Attempt] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def endpoint(self) -> Endpoint:
        extra = {"endpoint_url": f"{self.sandbox.url}/accounting", "region": "eu-central-1", "settled_seconds": "0"}
        return Endpoint(self.host, ACCESS_KEY, self.secret, {**extra, "rate": "1000/s"})

    def pages(self, stream: str, states: dict[str, str] | None = None) -> list[Page]:
        with open_store(
            ACCOUNTING,
            self.endpoint(),
            self.attempts.append,
            limiter=MemoryLimiter(),
            stream=stream,
            breakers=SyncCircuitBreakerFactory(default_threshold=10),
            sleep=self.slept.append,
        ) as files:
            read = reader(ACCOUNTING, stream, self.endpoint(), files, lambda after, changed: iter(()))
            return list(read(Window(BEGINNING, datetime.now(UTC), states or {}), None))


@pytest.fixture
def reading(sandbox: Sandbox) -> Reading:
    requests.delete(f"{sandbox.url}/control/faults", timeout=10)
    return Reading(sandbox)


def contents(pages: list[Page]) -> dict[str | None, object]:
    return {
        record.key: {name: value for name, value in json.loads(record.payload).items() if name != "_file"}
        for page in pages
        for record in page.records
    }


@pytest.mark.parametrize("stream", list(ACCOUNTING.streams))
def test_a_bucket_gives_what_the_folder_gives(reading: Reading, stream: str):
    folder = Folder(Path(reading.sandbox.state or "") / "accounting", "accounting")
    direct = reader(ACCOUNTING, stream, reading.endpoint(), folder, lambda after, changed: iter(()))
    from_folder = contents(list(direct(Window(BEGINNING, datetime.now(UTC)), None)))
    assert contents(reading.pages(stream)) == from_folder
    assert len(from_folder) > 20


def test_a_prefix_is_a_folder_of_the_bucket(reading: Reading):
    reading.host = "s3://onefold/jpk"
    with Bucket(ACCOUNTING, reading.endpoint(), reading.attempts.append, limiter=MemoryLimiter()) as files:
        names = sorted(file.name for file in files.found("*.xml"))
    assert names
    assert all("/" not in name for name in names)


def test_every_request_is_counted_and_all_pages_of_the_listing_are_read(reading: Reading):
    before = requests.get(f"{reading.sandbox.url}/control/stats", timeout=10).json()["accounting"]["requests"]
    reading.pages("bank_line")
    after = requests.get(f"{reading.sandbox.url}/control/stats", timeout=10).json()["accounting"]["requests"]
    listings = [attempt for attempt in reading.attempts if attempt.path.endswith("/onefold/")]
    assert len(listings) > 1
    assert len(reading.attempts) == after - before
    assert all(attempt.status == 200 and attempt.bytes for attempt in reading.attempts)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "code": 503, "times": 2, "body": "<Error><Code>SlowDown</Code></Error>"},
        {"kind": "cut_body", "after": 2},
        {"kind": "html", "times": 2},
        {"kind": "status", "code": 200, "body": "<Error><Code>InternalError</Code></Error>"},
    ],
    ids=["slow down", "cut body", "web page", "200 with an error"],
)
def test_a_store_that_falters_is_asked_again(reading: Reading, fault: dict[str, object]):
    undisturbed = contents(reading.pages("jpk_invoice"))
    reading.sandbox.control("faults", system="accounting", **fault)
    assert contents(reading.pages("jpk_invoice")) == undisturbed
    assert reading.slept


def test_a_store_that_is_down_fails_the_load_and_a_wrong_secret_is_for_a_person(reading: Reading):
    reading.sandbox.control("faults", system="accounting", kind="status", code=503, times=-1)
    with pytest.raises(Retriable, match="status 503"):
        reading.pages("bank_line")
    requests.delete(f"{reading.sandbox.url}/control/faults", timeout=10)
    reading.secret = "another-secret"
    with pytest.raises(Fatal, match="SignatureDoesNotMatch") as raised:
        reading.pages("bank_line")
    assert reading.secret not in str(raised.value)


def test_an_object_that_changed_since_it_was_listed_is_left_for_the_next_load(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
):
    state = Path(reading.sandbox.state or "") / "accounting" / "wyciagi" / "WB_99999.csv"
    header = "nr_wyciagu;lp;data_ksiegowania;kwota;waluta;kontrahent;rachunek;tytul;opis\n"
    state.write_bytes(f"{header}WB/99999;1;01.01.2026;1,00;PLN;A;1;x;y\n".encode())
    take = bucket.Bucket.take

    def late(self: Bucket, file: object) -> object:
        if file.name.endswith("WB_99999.csv"):
            state.write_bytes(f"{header}WB/99999;1;01.01.2026;2,00;PLN;A;1;x;y\n".encode())
        return take(self, file)

    with monkeypatch.context() as patched:
        patched.setattr(bucket.Bucket, "take", late)
        first = reading.pages("bank_line")
    assert '["WB/99999","1",null]' not in contents(first)
    states = {part.name: part.checkpoint or "" for page in first for part in page.ended}
    again = reading.pages("bank_line", states)
    assert contents(again).keys() == {'["WB/99999","1",null]'}
    state.unlink()


def test_a_host_that_is_no_place_of_files_is_refused(reading: Reading):
    reading.host = "ftp://example.com/files"
    with pytest.raises(Fatal, match="file:///absolute/folder, s3://bucket/prefix, sftp://server/folder"):
        reading.pages("bank_line")
