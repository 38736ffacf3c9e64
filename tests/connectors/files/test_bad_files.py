"""Files that cannot be used: each gives its reason and not one record."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import openpyxl
import pytest

from onefold.catalog.system import System
from tests.connectors.files.office import HEADER, Office, csv, keys, office, read, refused


def xlsx() -> System:
    return office(request={"path": "in/*.xls*"}, format={"kind": "xlsx", "decimal": ","})


def xml(**form: str) -> System:
    return office(request={"path": "in/*.xml"}, format={"kind": "xml", "record": "wpis", **form})


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
