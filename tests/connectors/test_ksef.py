"""KSeF: signed in with an encrypted token, read in encrypted packages, and every invoice checked against its schema."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.reader import read_systems
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, Retriable
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.http.spool import Spool
from onefold.systems.ksef import package as ksef_package
from onefold.systems.ksef.invoice import by_line, whole
from onefold.systems.ksef.moment import moment, zoned
from onefold.systems.ksef.package import Exported, Package
from sandbox.ksef.books import INVOICES
from sandbox.ksef.documents import Document
from sandbox.world import Shelf
from sandbox.world.business import OUR_NIP
from tests.connectors.reading import reader
from tests.connectors.running_sandbox import Connected, Sandbox, everything, running

COMPANIES = 240
ROWS = {row.number: row for row in Shelf(INVOICES, 7, COMPANIES).entries}
Payload = dict[str, object]


@contextmanager
def started(state: Path, companies: int = COMPANIES, **environment: str) -> Iterator[Sandbox]:
    with running(state, companies, {**os.environ, **environment}) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with started(tmp_path_factory.mktemp("ksef"), SANDBOX_KSEF_PAGE="60", SANDBOX_KSEF_PART="16000") as sandbox:
        yield sandbox


@pytest.fixture
def invoices(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connected]:
    monkeypatch.setattr("onefold.systems.ksef.connector.PER_PAGE", 25)
    sandbox.clear()
    yield connected(sandbox)
    sandbox.clear()


def connected(sandbox: Sandbox, stream: str = "invoice") -> Connected:
    return Connected(sandbox, "ksef", stream, OUR_NIP, f"{sandbox.url}/ksef")


def payloads(source: Connected) -> list[Payload]:
    return [json.loads(record.payload) for page in source.pages() for record in page.records]


def exported(xml: bytes, **metadata: object) -> Exported:
    known = {"ksefNumber": "N", "permanentStorageDate": "2026-01-02T03:04:05.1234567", **metadata}
    return Exported(msgspec.json.decode(msgspec.json.encode(known), type=dict[str, msgspec.Raw]), lambda: xml)


def packed(files: dict[str, bytes]) -> Package:
    archive = Spool()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return Package(archive.rewound(), is_truncated=False, complete_to=None)


def test_every_invoice_comes_once_in_the_order_of_storage_from_packages_of_many_parts(invoices: Connected):
    pages = invoices.pages()
    records = [record for page in pages for record in page.records]
    assert {record.key for record in records} == {row.key for row in ROWS.values()}
    assert len(records) == len(ROWS)
    assert [record.cursor for record in records] == sorted(record.cursor or "" for record in records)
    fetched = [attempt.path for attempt in invoices.attempts if "invoice-part" in attempt.path]
    assert len(fetched) > len({path.split("/")[4] for path in fetched}) > 3  # parts, packages
    assert len(pages) > 5


def test_any_page_can_be_gone_on_from(invoices: Connected):
    pages = invoices.pages()
    for place in (0, len(pages) // 2, len(pages) - 2):
        rest = [record.key for page in invoices.pages(token=pages[place].token) for record in page.records]
        assert rest == [record.key for page in pages[place + 1 :] for record in page.records]


def test_overlapping_and_adjoining_windows_lose_nothing(invoices: Connected):
    whole_year = invoices.versions()
    cut = datetime.fromisoformat(sorted(cursor for _, cursor in whole_year)[len(whole_year) // 2])
    before = invoices.versions(Window(BEGINNING, cut))
    after = invoices.versions(Window(cut, everything().end))
    assert before | after == whole_year
    assert not before.keys() & after.keys()


def test_a_correction_is_a_document_of_its_own_that_names_what_it_corrects(invoices: Connected):
    found = payloads(invoices)
    corrections = [each for each in found if each["invoiceType"] == "Kor"]
    numbers = {each["invoiceNumber"]: each["ksefNumber"] for each in found}
    assert len(corrections) == sum(number % 2 for number in ROWS) > 3
    for each in corrections:
        corrected = each["Faktura"]["Fa"]["DaneFaKorygowanej"]
        assert numbers[corrected["NrFaKorygowanej"]] == corrected["NrKSeFFaKorygowanej"]
        assert Decimal(each["sums"]["net"]) < 0


def test_vat_is_in_zlotys_in_the_metadata_and_in_the_currency_in_our_sums(invoices: Connected):
    foreign = [each for each in payloads(invoices) if each["currency"] == "EUR" and "sums" in each]
    assert len(foreign) > 10
    for each in foreign:
        net, vat = Decimal(each["sums"]["net"]), Decimal(each["sums"]["vat"])
        assert net + vat == Decimal(each["Faktura"]["Fa"]["P_15"])
        assert abs(Decimal(str(each["vatAmount"]))) > 3 * abs(vat)


def test_what_cannot_be_trusted_comes_with_the_reason_and_without_content_beside_all_others(sandbox: Sandbox):
    sandbox.clear()
    found = {each["ksefNumber"]: each.get("xml_error") for each in payloads(connected(sandbox))}
    wrong = {row.key: row.broken for row in ROWS.values() if (row.broken or "").startswith("xml_")}
    assert {number for number, error in found.items() if error} == wrong.keys()
    said = {wrong[number]: error for number, error in found.items() if error}
    assert said["xml_bomb"] == "XML with a DTD, which is never read"
    assert said["xml_invalid"] == "not valid FA(3): line 1, P_1: SCHEMAV_CVC_DATATYPE_VALID_1_2_1"
    lines = [each for each in payloads(connected(sandbox, "invoice_line")) if each["position"] == 0]
    assert {each["ksefNumber"]: each["xml_error"] for each in lines} == {n: e for n, e in found.items() if e}


def test_a_token_that_ends_between_two_packages_is_refreshed_without_a_new_sign_in(invoices: Connected):
    undisturbed = invoices.versions()
    invoices.attempts.clear()
    invoices.sandbox.fault(system="ksef", kind="expired_token", path="/v2/invoices/exports", after=5)
    assert invoices.versions() == undisturbed
    paths = [attempt.path.removeprefix("/ksef/v2/auth/") for attempt in invoices.attempts]
    assert (paths.count("challenge"), paths.count("token/redeem"), paths.count("token/refresh")) == (1, 1, 1)


def test_a_sign_in_whose_answer_was_lost_is_made_again(invoices: Connected):
    invoices.sandbox.fault(system="ksef", kind="cut_body", path="token/redeem")
    assert len(payloads(invoices)) == len(ROWS)
    assert sum("auth/challenge" in attempt.path for attempt in invoices.attempts) == 2


def test_a_wrong_token_is_fatal_and_names_the_connection_and_no_secret(sandbox: Sandbox):
    stranger = Connected(sandbox, "ksef", "invoice", "5270103391", f"{sandbox.url}/ksef")
    with pytest.raises(Fatal, match=r"status 450.*connection 'ksef'.*InvoiceRead") as raised:
        stranger.pages()
    assert "sandbox-secret" not in str(raised.value)


@pytest.mark.parametrize("fault", [{"kind": "cut_body"}, {"kind": "html"}, {"kind": "status", "code": 503}])
def test_a_part_that_comes_damaged_is_fetched_again(invoices: Connected, fault: dict[str, object]):
    undisturbed = invoices.versions()
    invoices.sandbox.fault(system="ksef", path="invoice-part/2", **fault)
    assert invoices.versions() == undisturbed


def test_a_part_that_is_never_what_was_announced_stops_the_load(invoices: Connected):
    invoices.sandbox.fault(system="ksef", path="invoice-part", kind="html", times=-1)
    with pytest.raises(Retriable, match="another hash than announced"):
        invoices.pages()


def test_what_is_stored_after_the_high_water_mark_is_left_to_the_next_load(tmp_path: Path):
    with started(tmp_path, SANDBOX_KSEF_HWM_LAG="3600") as sandbox:
        before = connected(sandbox).versions()
        sandbox.advance(new=5)
        window = Window(datetime.now(UTC) - timedelta(days=2), datetime.now(UTC))
        assert connected(sandbox).versions() == before
        assert connected(sandbox).pages(window)[-1].token is None
        soon = Window(datetime.now(UTC) - timedelta(minutes=5), datetime.now(UTC))  # all of it after the mark
        assert [page.records for page in connected(sandbox).pages(soon)] == [[]]


def test_more_invoices_of_one_moment_than_a_package_holds_are_no_endless_circle(tmp_path: Path):
    with (
        started(tmp_path, SANDBOX_KSEF_PAGE="3") as sandbox,
        pytest.raises(Fatal, match=r"ksef\.invoice: more invoices were stored at 20"),
    ):
        connected(sandbox).pages()


def test_exports_keep_to_twenty_an_hour_and_nothing_else_waits_for_that(sandbox: Sandbox):
    sandbox.clear()
    clock = [0.0]
    sent: list[tuple[str, float]] = []

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    system = read_systems()["ksef"]
    endpoint = Endpoint(f"{sandbox.url}/ksef", OUR_NIP, "sandbox-secret")
    http = Client(
        system,
        endpoint,
        lambda attempt: sent.append((f"{attempt.method} {attempt.path.rpartition('/')[2]}", clock[0])),
        limiter=MemoryLimiter(clock=lambda: clock[0]),
        breakers=SyncCircuitBreakerFactory(),
        sleep=sleep,
    )
    read = reader(system, "invoice", endpoint, http, lambda after, changed: iter(()))
    assert sum(len(page.records) for page in read(everything(), None)) >= len(ROWS)
    ordered = [at for what, at in sent if what == "POST exports"]
    assert len(ordered) > 10
    assert all(later - earlier > 3600 / 20 for earlier, later in pairwise(ordered[1:]))
    assert len(sent) > 3 * len(ordered)
    assert clock[0] < len(ordered) * 240


def test_a_source_that_says_too_many_is_left_alone_until_it_says(tmp_path: Path):
    with started(tmp_path, SANDBOX_KSEF_LIMITS="1", SANDBOX_KSEF_PAGE="60") as sandbox:
        source = connected(sandbox)
        with pytest.raises(Retriable, match="It asks to come back in"):
            source.pages()  # 16 a minute, and the test's clock does not move
        assert [attempt.status for attempt in source.attempts].count(429) > 0


def test_a_line_number_that_comes_twice_loses_no_line():
    entry = ROWS[next(number for number, row in ROWS.items() if number % 2 and not row.broken)]
    xml = Document(7, COMPANIES, entry).xml()
    start, end = xml.index(b"<FaWiersz>"), xml.rindex(b"</FaWiersz>") + len(b"</FaWiersz>")
    line = xml[start:end]
    before = line.replace(b"</FaWiersz>", b"<StanPrzed>1</StanPrzed></FaWiersz>")
    both = [json.loads(each) for each in by_line(exported(xml[:start] + before + line + xml[end:]))]
    assert [(each["position"], each["FaWiersz"]["NrWierszaFa"]) for each in both] == [(1, "1"), (2, "1")]
    assert [each["FaWiersz"].get("StanPrzed") for each in both] == ["1", None]


def test_reasons_name_places_and_no_values():
    xml = Document(7, COMPANIES, ROWS[0]).xml()
    secret = xml.replace(b"<Nazwa>", b"<Nazwa>" + b"Jan Kowalski " * 60)
    (record,) = map(json.loads, whole(exported(secret)))
    assert record["xml_error"].startswith("not valid FA(3): line 1, Nazwa: ")
    assert "Kowalski" not in json.dumps(record)
    (cut,) = map(json.loads, whole(exported(xml[:-40])))
    assert cut["xml_error"] == "XML that is cut off or malformed (line 1)"
    (deep,) = map(json.loads, whole(exported(b"<a>" * 5000 + b"</a>" * 5000)))
    assert deep["xml_error"].startswith("XML that is cut off or malformed")


def test_the_schema_is_read_from_the_folder_alone(monkeypatch: pytest.MonkeyPatch):
    def refused(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refused)
    (record,) = map(json.loads, whole(exported(Document(7, COMPANIES, ROWS[0]).xml())))
    assert "xml_error" not in record


def test_timestamps_without_zone_are_warsaws_and_a_seventh_digit_is_cut_off():
    assert zoned("2026-01-02T03:04:05.1234567") == "2026-01-02T03:04:05.1234567+01:00"
    assert zoned("2026-07-02T03:04:05") == "2026-07-02T03:04:05+02:00"
    assert zoned("2026-07-02T03:04:05Z") == "2026-07-02T03:04:05Z"
    assert zoned("wczoraj") == "wczoraj"
    assert moment("2026-07-02T03:04:05.9999999") == datetime(2026, 7, 2, 1, 4, 5, 999999, tzinfo=UTC)


def test_a_zip_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch):
    listed = msgspec.json.encode({"invoices": [{"ksefNumber": "A"}, {"ksefNumber": "B"}, {"ksefNumber": "C"}]})
    bomb = {"_metadata.json": listed, "A.xml": b" " * (ksef_package.LARGEST_INVOICE + 1), "B.xml": b"<x/>"}
    reasons = [json.loads(line)["xml_error"] for each in packed(bomb).invoices("it") for line in whole(each)]
    assert reasons[0] == "larger than 8 MiB, so no invoice: not unpacked"
    assert reasons[1].startswith("not valid FA(3)")
    assert reasons[2] == "not in the package"
    monkeypatch.setattr(ksef_package, "LARGEST_LIST", 10)
    with pytest.raises(Fatal, match="It was not unpacked"):
        list(packed(bomb).invoices("it"))


@pytest.mark.parametrize("odd", [b"null", b"5", b'"x"', b"[]", b"[" * 5000 + b"]" * 5000])
def test_an_entry_of_a_package_that_is_no_object_keeps_no_invoice_out(odd: bytes):
    listed = b'{"invoices": [{"ksefNumber": "A"}, ' + odd + b', {"ksefNumber": "B"}]}'
    found = list(packed({"_metadata.json": listed, "A.xml": b"<x/>", "B.xml": b"<x/>"}).invoices("it"))
    assert {each.says("ksefNumber") for each in found if each.odd is None} == {"A", "B"}
    assert [each.odd for each in found if each.odd is not None] == [odd]


@pytest.mark.parametrize("files", [{}, {"_metadata.json": b"[]"}, {"_metadata.json": b'{"invoices": [1'}])
def test_a_package_without_a_sound_list_is_refused(files: dict[str, bytes]):
    with pytest.raises((Fatal, Retriable)):
        list(packed(files).invoices("it"))
    with pytest.raises(Retriable, match="not sound"):
        list(Package(io.BytesIO(b"no zip at all"), is_truncated=False, complete_to=None).invoices("it"))
