"""Files that are wrong, late, half-written or changed under our hands: what is taken, what is set aside and why."""

from __future__ import annotations

import io
import itertools
import json
import os
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import psycopg
import pytest

from onefold.catalog.system import System
from onefold.connectors.files import store as file_store
from onefold.connectors.files.store import Folder
from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Retriable
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from onefold.load.window import WindowRequest
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


def xlsx() -> System:
    return office(request={"path": "in/*.xls*"}, format={"kind": "xlsx", "decimal": ","})


def xml(**form: str) -> System:
    return office(request={"path": "in/*.xml"}, format={"kind": "xml", "record": "wpis", **form})


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
            run=Run("sync__office", f"manual__{next(_runs)}", "os:tester"),
            source=source,
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


@pytest.fixture
def drops(loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    suites = tmp_path / "suites"
    suites.mkdir()
    (suites / "office__entry.yaml").write_text(SUITE)
    return Office(tmp_path / "drops", loader_url, suites)


@pytest.fixture
def folder(tmp_path: Path) -> Office:
    """For what can be seen without a warehouse."""
    return Office(tmp_path / "drops", "", tmp_path)


def read(office: Office, states: dict[str, str] | None = None, start: datetime = BEGINNING) -> list[Page]:
    return list(office.reader()(Window(start, datetime.now(UTC), states or {}), None))


def keys(pages: list[Page]) -> list[str | None]:
    return [record.key for page in pages for record in page.records]


def states(pages: list[Page]) -> dict[str, str]:
    return {part.name: part.checkpoint or "" for page in pages for part in page.ended}


def refused(pages: list[Page]) -> dict[str, str]:
    return {part.name: part.refused for page in pages for part in page.ended if part.refused}


def test_amounts_are_exact_and_dates_are_iso_whatever_the_office_writes(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1 234,56;Żółw", "2;01.02.2026;1\u00a0000 000,10;", "3;;-0,05;x"))
    drops.load()
    assert drops.current() == {"1": ("1234.56", "Żółw"), "2": ("1000000.10", None), "3": ("-0.05", "x")}
    assert drops.query("select _payload ->> 'data' from staging.office__entry where _key = '1'") == [("2026-01-31",)]


def test_a_number_that_could_be_two_goes_to_quarantine_and_is_not_guessed(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1.234;x", "2;06/05/2026;1,00;x", "3;31.01.2026;1,00;x"))
    drops.load()
    assert drops.current().keys() == {"3"}
    assert [(key, reason) for key, reason, _ in drops.quarantine()] == [
        ("1", "kwota cannot be read as numeric"),
        ("2", "data cannot be read as date"),
    ]


def test_each_file_is_loaded_exactly_once(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    assert drops.load().rows_read == 1
    assert drops.load().rows_read == 0
    drops.drop("a.csv", csv("1;31.01.2026;1,00;x"), minutes=5)  # touched, with nothing changed in it
    assert drops.load().rows_read == 0
    assert [
        checkpoint
        for (checkpoint,) in drops.query("select checkpoint from ops.stream_checkpoint where partition = 'in/a.csv'")
    ]


def test_a_file_sent_again_under_another_name_makes_no_version(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    drops.load()
    drops.drop("a (1).csv", csv("1;31.01.2026;1,00;x"), minutes=60)
    again = drops.load()
    assert (again.rows_read, again.rows_new, again.rows_changed) == (1, 0, 0)


def test_a_corrected_file_replaces_what_it_changes_and_nothing_else(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1,00;x", "2;31.01.2026;2,00;y"))
    drops.load()
    drops.drop("a_kor.csv", csv("1;31.01.2026;1,00;x", "2;31.01.2026;2,50;y"), minutes=60)
    assert (load := drops.load()).rows_changed == 1
    assert load.rows_new == 0
    assert drops.current() == {"1": ("1.00", "x"), "2": ("2.50", "y")}


def test_an_older_file_that_arrives_late_is_read_and_does_not_overwrite_newer_rows(drops: Office):
    drops.drop("new.csv", csv("1;31.01.2026;2,00;new"))
    drops.load()
    drops.drop("old.csv", csv("1;31.01.2026;1,00;old", "2;31.01.2026;1,00;only here"), minutes=-9000)
    assert drops.load().rows_read == 2
    assert drops.current() == {"1": ("2.00", "new"), "2": ("1.00", "only here")}


def test_files_dropped_with_old_dates_into_a_folder_that_was_empty_are_read(drops: Office):
    (drops.root / "in").mkdir(parents=True)
    drops.load()
    drops.drop("old.csv", csv("1;31.01.2026;1,00;x"), minutes=-900_000)
    assert drops.load().rows_new == 1


def test_a_bad_file_is_set_aside_with_its_reason_and_tried_again_when_it_has_changed(drops: Office):
    drops.drop("bad.csv", csv("1;31.01.2026;1,00", header="nr;data;kwota"))
    drops.drop("good.csv", csv("2;31.01.2026;2,00;y"))
    load = drops.load()
    assert (load.state, load.rows_new, load.rows_quarantined) == ("published", 1, 1)
    assert drops.quarantine() == [("in/bad.csv", "the header has no column opis", "open")]
    again = drops.load()
    assert (again.rows_read, again.rows_quarantined) == (0, 0)  # known as it is
    drops.drop("bad.csv", csv("1;31.01.2026;1,00;now"), minutes=1)
    assert drops.load().rows_new == 1
    assert [state for *_, state in drops.quarantine()] == ["superseded"]


def test_a_file_set_aside_is_read_when_the_catalogue_has_been_mended(folder: Office):
    folder.drop("a.csv", csv("1;31.01.2026;1,00;x;7", header=f"{HEADER};mpk"))
    before = read(folder)
    assert refused(before)
    assert keys(read(folder, states(before))) == []
    folder.system = office(ignore=["mpk"])
    assert keys(read(folder, states(before))) == ["1"]


@pytest.mark.parametrize(
    "name", ["a.csv.tmp", "a.csv.part", "a.csv.filepart", ".a.csv", "~$a.csv", "a.csv.crdownload", "a.csv~"]
)
def test_a_file_under_a_name_of_transfers_on_their_way_is_left_alone(folder: Office, name: str):
    folder.system = office(request={"path": "in/*"})
    folder.drop(name, csv("1;31.01.2026;1,00;x"))
    assert keys(read(folder)) == []
    (folder.root / "in" / name).rename(folder.root / "in" / "a.csv")
    assert keys(read(folder)) == ["1"]


def test_a_file_that_was_written_a_moment_ago_is_left_alone_until_it_has_settled(folder: Office):
    folder.system = office(arrival={"settled": "PT60S"})
    path = folder.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    now = datetime.now(UTC).timestamp()
    os.utime(path, (now - 10, now - 10))
    first = read(folder)
    assert keys(first) == []
    os.utime(path, (now - 70, now - 70))
    assert keys(read(folder, states(first))) == ["1"]


def test_a_file_without_its_marker_is_left_alone(folder: Office):
    folder.system = office(arrival={"marker": ".done"})
    folder.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    first = read(folder)
    assert keys(first) == []
    folder.drop("a.csv.done", b"", minutes=9)
    assert keys(read(folder, states(first))) == ["1"]


@pytest.mark.parametrize("how", ["appended", "replaced", "deleted"])
def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_load(
    folder: Office, how: str, monkeypatch: pytest.MonkeyPatch
):
    path = folder.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    folder.drop("b.csv", csv("2;31.01.2026;1,00;x"), minutes=1)
    pieces = file_store.chunks

    def disturbed(source: io.BufferedReader) -> Iterator[bytes]:
        yield from pieces(source)
        if Path(source.name) == path:
            match how:
                case "appended":
                    with path.open("ab") as more:
                        more.write(b"9;31.01.2026;9,00;half")
                case "replaced":
                    other = folder.drop("other", csv("1;31.01.2026;7,00;x"))
                    other.replace(path)
                case "deleted":
                    path.unlink()

    monkeypatch.setattr(file_store, "chunks", disturbed)
    pages = read(folder)
    assert keys(pages) == ["2"]
    assert "in/a.csv" not in states(pages)
    monkeypatch.undo()
    if how == "replaced":
        (again,) = [r for page in read(folder, states(pages)) for r in page.records]
        assert json.loads(again.payload)["kwota"] == "7.00"


def workbook(*rows: tuple[object, ...]) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in [("nr", "data", "kwota", "opis"), *rows]:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def repacked(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The workbook with its parts changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return file.getvalue()


def with_part(name: str, content: bytes) -> bytes:
    return repacked(workbook(("1", None, 1.5, "x")), lambda parts: parts.update({name: content}))


def with_entity(parts: dict[str, bytes]) -> None:
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + sheet


BOMB = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><k><wpis><nr>&b;</nr></wpis></k>'
THIEF = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><k><wpis><nr>&x;</nr></wpis></k>'
ONE = "1;31.01.2026;1,00;x"
SOUND_XML = "<wpis><nr>1</nr><data>2026-01-31</data><kwota>1.00</kwota><opis>x</opis></wpis>"
BAD = {
    "wrong delimiter": (office, "a.csv", csv(ONE.replace(";", "\t"), header="nr\tdata\tkwota\topis"), "delimiter"),
    "UTF-8 for CP1250": (office, "a.csv", f"{HEADER}\n1;31.01.2026;1,00;Żółw\n".encode(), "in UTF-8, not in cp1250"),
    "UTF-8 with a mark": (office, "a.csv", f"\ufeff{HEADER}\n{ONE}\n".encode(), "byte order mark"),
    "UTF-16": (office, "a.csv", f"{HEADER}\n{ONE}\n".encode("utf-16"), "in UTF-16"),
    "CP1250 for UTF-8": (
        lambda: office(format={"kind": "csv", "delimiter": ";", "decimal": ",", "dates": "%d.%m.%Y"}),
        "a.csv",
        csv("1;31.01.2026;1,00;Żółw"),
        "not in the encoding utf-8",
    ),
    "missing column": (office, "a.csv", csv("1;31.01.2026;1,00", header="nr;data;kwota"), "has no column opis"),
    "extra column": (office, "a.csv", csv(f"{ONE};7", header=f"{HEADER};mpk"), "does not know (mpk)"),
    "column twice": (office, "a.csv", csv(f"{ONE};x", header=f"{HEADER};opis"), "opis more than once"),
    "empty file": (office, "a.csv", b"", "the file is empty"),
    "cut in a row": (office, "a.csv", csv(ONE, "2;31.01"), "line 3 has 2 cells, the header 4"),
    "cut in a quotation": (office, "a.csv", csv(ONE, '2;31.01.2026;1,00;"never end'), "is no CSV"),
    "a program": (office, "a.csv", csv(ONE) + b"\0\1\2;;;\r\n", "NUL"),
    "truncated workbook": (xlsx, "a.xlsx", workbook(("1", None, 1.5, "x"))[:-500], "cut off"),
    "damaged workbook": (xlsx, "a.xlsx", b"PK\3\4" + bytes(900), "cut off"),
    "empty workbook": (xlsx, "a.xlsx", b"", "the file is empty"),
    "encrypted workbook": (xlsx, "a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(900), "encrypted"),
    "workbook by name with macros": (xlsx, "a.xlsm", workbook(("1", None, 1.5, "x")), "macros"),
    "macros inside": (xlsx, "a.xlsx", with_part("xl/vbaProject.bin", b"x"), "active content (xl/vbaProject.bin)"),
    "links to other files": (xlsx, "a.xlsx", with_part("xl/externalLinks/1.xml", b"<a/>"), "active content"),
    "zip bomb": (xlsx, "a.xlsx", with_part("xl/media/x.bin", bytes(64 << 20)), "64 MiB unpacked"),
    "bomb in a workbook's part": (xlsx, "a.xlsx", repacked(workbook(("1", None, 1.5, "x")), with_entity), "a DTD"),
    "XML bomb": (xml, "a.xml", BOMB, "XML with a DTD"),
    "external entity": (xml, "a.xml", THIEF, "XML with a DTD"),
    "cut XML": (xml, "a.xml", f"<k>{SOUND_XML}<wpis><nr>2".encode(), "cut off or malformed"),
    "other XML": (xml, "a.xml", b"<k><faktura/></k>", "holds no element wpis"),
    "XML without the key": (xml, "a.xml", b"<k><wpis><data>2026-01-31</data></wpis></k>", "has nr"),
    "fewer than it says": (
        lambda: xml(count="ile"),
        "a.xml",
        f"<k>{SOUND_XML}<ile>2</ile></k>".encode(),
        "that it holds 2 records, and holds 1",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_file_that_cannot_be_used_gives_its_reason_and_not_one_record(folder: Office, fault: str):
    system, name, content, reason = BAD[fault]
    folder.system = system()
    folder.drop(name, content)
    pages = read(folder)
    assert keys(pages) == []
    assert reason in refused(pages)[f"in/{name}"]


def test_formulas_and_texts_that_would_become_one_go_to_quarantine(drops: Office):
    drops.system = xlsx()
    drops.drop(
        "a.xlsx",
        workbook(
            ("1", "2026-01-31", 1.5, "good"),
            ("2", "2026-01-31", "=C2*2", "computed"),
            ("3", "2026-01-31", 1, '=HYPERLINK("http://example.com","x")'),
            ("4", "2026-01-31", 1, "@SUM(A1)"),
            ("5", "2026-01-31", 1, "+cmd|' /C calc'!A0"),
            ("6", "2026-01-31", 1, "+48 22 123 45 67"),
            ("7", "2026-01-31", -2, "-"),
        ),
    )
    drops.load()
    assert drops.current() == {
        "1": ("1.5", "good"),
        "6": ("1", "+48 22 123 45 67"),
        "7": ("-2", "-"),
    }
    assert {key for key, reason, _ in drops.quarantine() if "begins like a formula" in reason} == {"2", "3", "4", "5"}


def test_a_folder_that_is_not_there_is_no_empty_one(folder: Office):
    with pytest.raises(Retriable, match="is not there"):
        read(folder)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(folder: Office, tmp_path: Path):
    folder.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    secret = tmp_path / "secret.csv"
    secret.write_bytes(csv("2;31.01.2026;1,00;x"))
    (folder.root / "in" / "b.csv").symlink_to(secret)
    assert keys(read(folder)) == ["1"]


def test_a_load_that_was_cut_short_goes_on_in_the_middle_of_a_file(folder: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("onefold.connectors.files.reader.PAGE", 3)
    for file in range(3):
        rows = [f"{file}-{n};31.01.2026;1,00;x" for n in range(4)]
        folder.drop(f"{file}.csv", csv(*rows), minutes=file)
    window = Window(BEGINNING, datetime.now(UTC))
    whole = list(folder.reader()(window, None))
    assert [len(page.records) for page in whole] == [3, 3, 3, 3]
    for taken, page in enumerate(whole[:-1], start=1):
        rest = list(folder.reader()(window, page.token))
        assert keys(whole[:taken]) + keys(rest) == keys(whole)


def test_a_large_file_needs_no_more_memory_than_a_small_one(folder: Office):
    peaks = []
    for rows in (5_000, 40_000):
        folder.drop("a.csv", csv(*(f"{n};31.01.2026;1 234,56;opis wiersza" for n in range(rows))))
        tracemalloc.start()
        count = sum(len(page.records) for page in folder.reader()(Window(BEGINNING, datetime.now(UTC)), None))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == rows
    assert peaks[1] < peaks[0] + 8 * 1024 * 1024  # what lies in temporary files is held in memory up to 4 MiB each


def test_a_backfill_of_a_window_reads_its_files_again(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1,00;x"))
    drops.drop("old.csv", csv("2;31.01.2026;1,00;x"), minutes=-9000)
    drops.load()
    window = WindowRequest(YESTERDAY - timedelta(hours=1), YESTERDAY + timedelta(hours=1), exactly=True)
    again = drops.load(requested=window)
    assert (again.rows_read, again.rows_new, again.rows_changed) == (1, 0, 0)
