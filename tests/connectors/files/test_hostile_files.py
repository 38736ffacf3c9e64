"""Files that are made to use up memory or time: each is refused with its reason, and the file beside it is read.

The same at their full size, under a limit of memory: tests/torture/test_hostile_files.py.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zipfile
from collections.abc import Callable
from types import ModuleType

import pytest

from onefold.catalog.system import System
from onefold.connectors import archive, safe_xml
from onefold.connectors.files import csv_file, encoding, sheet_bounds, xlsx_file
from tests.connectors.files.hostile import many_members, nested_gzip, sheet_part, zip_of
from tests.connectors.files.office import HEADER, Office, csv, keys, office, read, refused
from tests.connectors.files.test_bad_files import SOUND_XML, repacked, workbook, xlsx, xml

GOOD = csv("1;31.01.2026;1,00;x")
SHEET = "xl/worksheets/sheet1.xml"
Limits = dict[tuple[ModuleType, str], int]


def part(name: str, content: bytes) -> bytes:
    return repacked(workbook(("1", None, 1.5, "x")), lambda parts: parts.update({name: content}))


def strange_listing(size: int) -> bytes:
    """An archive that says that the list of its members has so many bytes."""
    return zip_of({"a.csv": GOOD})[:-22] + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, 0, 0)


Make = Callable[[], bytes]
FILES: dict[str, tuple[str, Make, Limits, str]] = {
    "more members than anybody packs": ("b.csv.zip", lambda: many_members(10_001), {}, "more than 10000 files"),
    "a list of members of gigabytes": ("b.csv.zip", lambda: strange_listing(2**31), {}, "cut off or damaged"),
    "a long list of members": (
        "b.csv.zip", lambda: many_members(2000), {(archive, "LISTING"): 50_000}, "list of files has",
    ),
    "a workbook of many parts": ("b.xlsx", lambda: many_members(10_001, "%d.xml"), {}, "more than 10000 files"),
    "a member packed as bzip2": (
        "b.csv.zip", lambda: zip_of({"a.csv": bytes(1 << 20)}, zipfile.ZIP_BZIP2), {}, "an ordinary zip",
    ),
    "a member packed as LZMA": ("b.csv.zip", lambda: zip_of({"a.csv": GOOD}, zipfile.ZIP_LZMA), {}, "an ordinary zip"),
    "a part packed as LZMA": (
        "b.xlsx", lambda: zip_of({"[Content_Types].xml": b"<a/>"}, zipfile.ZIP_LZMA), {}, "an ordinary zip",
    ),
    "gzip within gzip": ("b.csv.gz", lambda: nested_gzip(GOOD, 400), {}, "more than 3 times"),
    "a bzip2 file": ("b.csv", lambda: bz2.compress(GOOD), {}, "packed as bzip2"),
    "an xz file": ("b.csv", lambda: lzma.compress(GOOD), {}, "packed as xz"),
    "xz within gzip": ("b.csv.gz", lambda: gzip.compress(lzma.compress(GOOD)), {}, "packed as xz"),
    "a row of 100,001 cells": (
        "b.xlsx", lambda: part(SHEET, sheet_part("<row>" + "<c/>" * 100_001 + "</row>")), {}, "more than 100000 parts",
    ),
    "rows that end in the last column": (
        "b.xlsx",
        lambda: part(SHEET, sheet_part('<row r="1"><c r="A1"/></row><row r="2"><c r="ZZZ2"/></row>')),
        {}, "more than 16384 columns",
    ),
    "many empty cells": (
        "b.xlsx", lambda: workbook(*[("1", None, 1, "x")] * 50), {(xlsx_file, "CELLS"): 100}, "columns or 100 cells",
    ),
    "a text of many parts": (
        "b.xlsx",
        lambda: part("xl/sharedStrings.xml", b"<sst><si>" + b"<r/>" * 100_001 + b"</si></sst>"),
        {}, "more than 100000 parts",
    ),
    "many shared texts": (
        "b.xlsx",
        lambda: part("xl/sharedStrings.xml", b"<sst>" + b"<si/>" * 1001 + b"</sst>"),
        {(sheet_bounds, "TEXTS"): 1000}, "texts: split",
    ),
    "many styles": (
        "b.xlsx",
        lambda: part("xl/styles.xml", b"<styleSheet>" + b"<xf/>" * 1001 + b"</styleSheet>"),
        {(sheet_bounds, "OUTSIDE"): 1000}, "elements beside rows",
    ),
    "many sheets": ("b.xlsx", lambda: part("xl/workbook.xml", b"<workbook>" + b"<sheet/>" * 1001), {}, "1000 sheets"),
    "a cell that does not end": (
        "b.xlsx",
        lambda: part(SHEET, sheet_part("<row><c><v>" + "1" * 300_000 + "</v></c></row>")),
        {(sheet_bounds, "LONGEST"): 100_000}, "a row, text or tag",
    ),
    "a tag that does not end": (
        "b.xlsx",
        lambda: part(SHEET, sheet_part('<row a="' + "1" * 300_000 + '"/>')),
        {(sheet_bounds, "LONGEST"): 100_000}, "a row, text or tag",
    ),
    "a long text beside rows": (
        "b.xlsx",
        lambda: part("xl/workbook.xml", b"<workbook>" + b"x" * 300_000 + b"</workbook>"),
        {(sheet_bounds, "BESIDE"): 100_000}, "in no row and no text",
    ),
    "a sheet of 101 levels": ("b.xlsx", lambda: part(SHEET, sheet_part("<a>" * 101 + "</a>" * 101)), {}, "100 times"),
    "a header that says the same a million times": (
        "b.csv", lambda: csv(header="nr;data;kwota" + ";opis" * 1_000_000), {}, "more than once",
    ),
    "a row of ever more quotations": (
        "b.csv",
        lambda: f'{HEADER}\n1;"\n{""}'.encode() + b'";"\n' * 5000,
        {(csv_file, "LONGEST_LINE"): 10_000}, "is never closed",
    ),
    "a record of many elements": (
        "b.xml",
        lambda: b"<k><wpis>" + b"<a><b/></a>" * 40_000 + b"</wpis></k>",
        {(safe_xml, "MOST_TAGS"): 50_000}, "a record of more than",
    ),
    "a record without an end": (
        "b.xml",
        lambda: b"<k><wpis><nr>" + b"1" * 300_000,
        {(safe_xml, "LONGEST_ROW"): 100_000}, "a record of more than",
    ),
    "a comment without an end": (
        "b.xml",
        lambda: f"<k>{SOUND_XML}<!-- ".encode() + b"x" * 300_000,
        {(safe_xml, "LONGEST_TAG"): 100_000}, "a tag of more than",
    ),
    "10,001 levels around the records": ("b.xml", lambda: b"<k>" * 10_002, {}, "more than 10000 times"),
}  # fmt: skip


def _system(name: str) -> System:
    return xlsx() if name.endswith(".xlsx") else xml() if name.endswith(".xml") else office()


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_would_use_up_memory_or_time_is_refused_and_the_others_are_read(
    folder: Office, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    name, make, limits, why = FILES[case]
    for (module, limit), value in limits.items():
        monkeypatch.setattr(module, limit, value)
    folder.system = _system(name)
    good = {"xlsx": workbook(("1", "2026-01-31", 1, "x")), "xml": f"<k>{SOUND_XML}</k>".encode()}
    kind = name.rpartition(".")[2]
    folder.drop(f"good.{kind if kind in good else 'csv'}", good.get(kind, GOOD), minutes=5)
    folder.drop(name, make())
    pages = read(folder)
    assert keys(pages) == ["1"]
    assert why in refused(pages)[f"in/{name}"]


def test_what_is_no_word_is_no_evidence_of_an_encoding_and_is_not_held() -> None:
    letters = "ąćęłńóśźż".encode("cp1250")
    words, utf_8, ascii_only = encoding._words(io.BytesIO(letters * 20_000 + b" " + letters * 3 + b"\n" + letters))
    assert not utf_8 and not ascii_only
    assert set(words) == {letters * 3, letters}


def test_a_zip_within_gzip_is_read_as_before(folder: Office) -> None:
    folder.system = office(request={"path": "in/*.csv"})
    folder.drop("a.csv.gz", gzip.compress(zip_of({"a.csv": GOOD})))
    assert keys(read(folder)) == ["1"]
