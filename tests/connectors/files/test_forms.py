"""Files as people send them: each form with the values that come out of it, or the reason why nothing does."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import date, datetime, time, timedelta

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904, from_excel

from onefold.catalog.fields import SourceField
from onefold.catalog.file_format import Format
from onefold.catalog.system import System
from onefold.connectors.files.cells import WINDOWS_EPOCH, read_cell
from onefold.load.ledger import Run
from onefold.replay.ledger import open_replay
from onefold.replay.selection import Selection
from onefold.warehouse.connection import connect
from tests.connectors.files.office import HEADER, OFFICE, Office, csv, keys, office, read, refused

CSV = OFFICE["streams"]["entry"]["format"]
FIELDS = OFFICE["streams"]["entry"]["fields"]
WORDS = ("Wąż", "źródło Łódź", "ŻÓŁĆ I ŚLĄSK", "Zażółć gęślą jaźń – „cytat” 5 €", "Kraków, Gdańsk, Müller & Söhne")
ENCODINGS = ("cp1250", "utf-8", "utf-8-sig", "utf-16", "iso-8859-2", "cp852")


def tables(**form: object) -> System:
    return office(format={**CSV, **form})


def sheets(fields: dict[str, object] | None = None, **form: object) -> System:
    return office(
        request={"path": "in/*.xlsx"},
        format={"kind": "xlsx", "decimal": ",", **form},
        fields={**FIELDS, **(fields or {})},
    )


def records(folder: Office) -> list[dict[str, object]]:
    return [json.loads(record.payload) for page in read(folder) for record in page.records]


def values(folder: Office, name: str) -> list[object]:
    return [record[name] for record in records(folder)]


def workbook(*rows: tuple[object, ...], merged: str = "", formats: dict[str, str] | None = None) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    if merged:
        book.active.merge_cells(merged)
    for cell, form in (formats or {}).items():
        book.active[cell].number_format = form
    book.save(file)
    return file.getvalue()


def test_a_file_in_any_of_the_encodings_is_told_apart_by_its_words_or_refused(folder: Office):
    folder.system = tables(encoding="auto")
    for words in WORDS:
        for encoding in ENCODINGS:
            try:
                content = f"{HEADER}\n1;31.01.2026;1,00;{words}\n".encode(encoding)
            except UnicodeEncodeError:
                continue
            folder.drop("a.csv", content)
            assert values(folder, "opis") == [words], (words, encoding)


@pytest.mark.parametrize("encoding", ["iso-8859-2", "cp852", "utf-8", "utf-16", "cp1251"])
def test_a_file_in_another_encoding_than_the_declared_one_is_refused(folder: Office, encoding: str):
    for words in ("Wąż", "źródło", "ŁÓDŹ", "Spółka Żółwiąt") if encoding != "cp1251" else ("Андрей Иванович",):
        folder.drop("a.csv", f"{HEADER}\n1;31.01.2026;1,00;{words}\n".encode(encoding))
        assert records(folder) == []
        assert "encoding" in refused(read(folder))["in/a.csv"] or "in UTF-" in refused(read(folder))["in/a.csv"]


def test_a_file_put_together_of_two_encodings_and_one_that_cannot_be_told_are_refused(folder: Office):
    folder.system = tables(encoding="auto")
    line = "1;31.01.2026;1,00;Wąż źródło\n"
    folder.drop("a.csv", f"{HEADER}\n{line}".encode("cp1250") + line.encode("iso-8859-2"))
    folder.drop("b.csv", f"{HEADER}\n1;31.01.2026;1,00;źródło\n".encode("iso-8859-2"))
    reasons = refused(read(folder))
    assert "some of its words are in" in reasons["in/a.csv"]
    assert "its encoding cannot be told" in reasons["in/b.csv"]


def test_rows_above_the_header_and_below_the_data_are_no_records(folder: Office):
    folder.system = tables(header_row="found", footer="^(Razem|Suma)\\b")
    text = (
        f"sep=;\nBank SA\nWyciąg;nr 7;;\n\n{HEADER};\n1;31.01.2026;1,00;x;\n;;;;\n2;31.01.2026;2,00;y;\n"
        "Razem;;3,00\nDrukował;X\n"
    )
    folder.drop("a.csv", text.encode("cp1250"))
    assert keys(read(folder)) == ["1", "2"]
    folder.system = tables(header_row=3, footer="^Razem")
    assert keys(read(folder)) == ["1", "2"]
    folder.system = tables(footer="^Razem")
    assert "has no column nr" in refused(read(folder))["in/a.csv"]
    folder.system = sheets(header_row="found", footer="^Razem")
    folder.drop("a.xlsx", workbook(("Koszty",), (), HEADER.split(";"), ("1", None, 1, "x"), (None, "Razem", 1)))
    assert keys(read(folder)) == ["1"]


def test_numbers_keep_their_digits_and_percent_yes_and_no_dates_and_none_are_what_they_mean(folder: Office):
    folder.system = tables()
    folder.system = office(
        format=CSV, fields={**FIELDS, "stawka": "numeric", "oplacone": "boolean", "sztuk": "integer"}
    )
    header = f"{HEADER};stawka;oplacone;sztuk"
    folder.drop(
        "a.csv",
        csv(
            "1;31.01.2026;12345678901234567,89;x;23%;TAK;2,00",
            "2;00.00.0000;-0,10;x;7,5 %;nie;-1",
            "3;0000-00-00;;x;0,08;N;",
            header=header,
        ),
    )
    names = ("data", "kwota", "stawka", "oplacone", "sztuk")
    assert [tuple(record[name] for name in names) for record in records(folder)] == [
        ("2026-01-31", "12345678901234567.89", "0.23", True, "2"),
        (None, "-0.10", "0.075", False, "-1"),
        (None, None, "0.08", False, None),
    ]


def test_cells_of_a_workbook_are_what_the_sheet_shows(folder: Office):
    folder.system = sheets(
        {"kwota": "numeric", "czas": "text", "oplacone": "boolean", "termin": "timestamp", "nip": "text"}
    )
    header = (*HEADER.split(";"), "czas", "oplacone", "termin", "nip")
    rows = [
        ("1", 46053, 0.23, "x", timedelta(hours=25, minutes=30), "TAK", 46053.5, 5252344078.0),
        ("2", date(2026, 1, 31), "23%", "x", timedelta(minutes=-1), False, datetime(2026, 1, 31, 12), "0012"),
        ("3", "0000-00-00", 7, "x", time(8, 5), 1, None, None),
    ]
    folder.drop("a.xlsx", workbook(header, *rows, formats={"C2": "0%", "E2": "[h]:mm"}))
    names = ("data", "kwota", "czas", "oplacone", "termin", "nip")
    assert [tuple(record[name] for name in names) for record in records(folder)] == [
        ("2026-01-31", "0.23", "25:30:00", True, "2026-01-31T12:00:00", "5252344078"),
        ("2026-01-31", "0.23", "-00:01:00", False, "2026-01-31T12:00:00", "0012"),
        (None, "7", "08:05:00", True, None, None),
    ]


def test_days_of_a_workbook_that_counts_from_1904_are_its_own(folder: Office):
    folder.system = sheets()
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.epoch = CALENDAR_MAC_1904
    for row in (HEADER.split(";"), ("1", 44591, 1, "x"), ("2", date(2026, 1, 31), 1, "x")):
        book.active.append(row)
    book.save(file)
    folder.drop("a.xlsx", file.getvalue())
    assert values(folder, "data") == ["2026-01-31", "2026-01-31"]


@pytest.mark.parametrize("epoch", [WINDOWS_EPOCH, CALENDAR_MAC_1904])
def test_numbers_of_days_are_the_moments_that_openpyxl_makes_of_them(epoch: datetime):
    timestamp = SourceField(type="timestamp")
    for number in (1, 1.5, 59, 59.99999, 60, 61, 36526.25, 45688.3333333, 46053, 46053.9999999, 2957003.75):
        expected = from_excel(number, epoch).isoformat()
        assert read_cell(number, timestamp, Format(kind="xlsx"), epoch) == (expected, None), number


def test_a_number_of_a_day_behind_the_year_9999_is_given_as_it_came():
    day, last = SourceField(type="date"), 2_958_465
    assert read_cell(last, day, Format(kind="xlsx")) == ("9999-12-31", None)
    for number, epoch in ((last + 1, WINDOWS_EPOCH), (last, CALENDAR_MAC_1904)):
        assert read_cell(number, day, Format(kind="xlsx"), epoch) == (
            str(number),
            "no number of a day as Excel counts them",
        )


def test_polish_words_in_a_file_declared_as_western_are_refused_and_western_ones_are_not(folder: Office):
    folder.system = tables(encoding="cp1252")
    folder.drop("a.csv", csv("1;31.01.2026;1,00;Wąż", "2;31.01.2026;1,00;źródło"))
    assert "speak for cp1250" in refused(read(folder))["in/a.csv"]
    words = "España – garçon, Straße, Ærø 5 €"
    folder.drop("a.csv", f"{HEADER}\n1;31.01.2026;1,00;{words}\n".encode("cp1252"))
    assert values(folder, "opis") == [words]


@pytest.mark.parametrize("merged", ["C2:C3", "C2:D2"])
def test_merged_cells_are_refused_by_name_or_filled_and_never_unseen(folder: Office, merged: str):
    folder.system = sheets()
    header = HEADER.split(";")
    folder.drop("a.xlsx", workbook(header, ("1", None, 700, "x"), ("2", None, None, "y"), merged=merged))
    assert keys(read(folder)) == []
    assert f"{merged} are merged" in refused(read(folder))["in/a.xlsx"]
    folder.system = sheets(merged="fill")
    if merged == "C2:C3":
        assert values(folder, "kwota") == ["700", "700"]
    else:
        assert refused(read(folder))


def test_merged_cells_of_a_title_a_sum_or_an_unread_column_do_no_harm(folder: Office):
    form = {"kind": "xlsx", "header_row": "found", "footer": "^Razem"}
    folder.system = office(request={"path": "in/*.xlsx"}, format=form, ignore=["uwagi"])
    header = (*HEADER.split(";"), "uwagi")
    for merged in ("A1:E1", "A5:B5", "E3:E4", "G3:G4", "C3:C3"):
        rows = (("Koszty",), header, ("1", None, 1, "x"), ("2", None, 2, "y"), ("Razem", None, 3))
        folder.drop("a.xlsx", workbook(*rows, merged=merged))
        assert keys(read(folder)) == ["1", "2"], merged


def test_packed_files_are_read_with_every_file_in_them(folder: Office):
    one, two = csv("1;31.01.2026;1,00;Żółw"), csv("2;31.01.2026;1,00;y")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b/2.csv", two)
        archive.writestr("1.csv", one)
        archive.writestr("__MACOSX/._1.csv", b"x")
    folder.drop("a.csv.gz", gzip.compress(csv("0;31.01.2026;1,00;Żółw")))
    folder.drop("b.csv.zip", file.getvalue(), minutes=1)
    assert keys(read(folder)) == ["0", "1", "2"]
    assert [record["_file"]["row"] for record in records(folder)] == [1, 1, 2]
    folder.system = sheets()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("koszty.xlsx", workbook(HEADER.split(";"), ("7", None, 1, "x")))
    folder.drop("c.xlsx.zip", file.getvalue())
    assert keys(read(folder)) == ["7"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv.gz", gzip.compress(csv("1;31.01.2026;1,00;x"))[:-9], "cut off"),
        ("a.csv.gz", gzip.compress(bytes(64 << 20)), "a bomb"),
        ("a.csv.gz", gzip.compress(gzip.compress(csv("1;31.01.2026;1,00;x"))), ""),
        ("a.csv.zip", b"PK\x03\x04" + bytes(500), "cut off"),
    ],
    ids=["cut", "a bomb", "packed twice", "no archive"],
)
def test_an_archive_that_is_cut_or_a_bomb_is_refused(folder: Office, name: str, content: bytes, reason: str):
    folder.drop(name, content)
    pages = read(folder)
    if reason:
        assert keys(pages) == []
        assert reason in refused(pages)[f"in/{name}"]
    else:
        assert keys(pages) == ["1"]


def test_a_text_that_looks_like_a_formula_is_a_text_and_a_formula_waits_unless_its_field_opts_out(
    drops: Office,
):
    texts = {
        "1": "-10% rabat", "2": "- pozycja listy", "3": "@", "4": "%", "5": "@jan: proszę", "6": "+ dostawa (kurier)",
        "7": "-", "8": "=", "9": "— wg umowy", "10": "-5 °C (chłodnia)", "11": "+48 (22) 123-45-67",
    }  # fmt: skip
    formulas = {
        "f1": "=1+1",
        "f2": "@SUM(A1)",
        "f3": "+cmd|' /C calc'!A0",
        "f4": "-2+3+WEBSERVICE(A1)",
        "f5": "- SUM(A1)",
    }
    rows = [f"{key};31.01.2026;1,00;{text}" for key, text in {**texts, **formulas}.items()]
    drops.drop("a.csv", csv(*(row.replace("—", "–") for row in rows)))
    drops.load()
    assert {key: text for key, (_, text) in drops.current().items()} == {**texts, "9": "– wg umowy"}
    assert {key for key, reason, _ in drops.quarantine() if "begins like a formula" in reason} == set(formulas)
    drops.system = tables(unguarded=["opis"])
    drops.drop("b.csv", csv(*(f"u{row}" for row in rows[-5:])), minutes=5)
    drops.load()
    assert drops.current().keys() >= {f"u{key}" for key in formulas}


def test_a_replay_takes_what_was_received_when_its_field_has_become_a_text(drops: Office):
    drops.drop("a.csv", csv("1;31.01.2026;1.234,50;x", "2;31.01.2026;1.234;x", "3;31.01.2026;3,00;x"))
    drops.load()
    assert drops.current().keys() == {"3"}
    drops.system = office(fields={**FIELDS, "kwota": "text"})
    run = Run("replay", "manual__text", "os:tester")
    with connect(drops.url, autocommit=True) as connection:
        chosen = open_replay(connection, Selection(), "kwota is a text", run, {"office": drops.system})
    drops.load(run=run, source=None, replay_id=chosen.replay_id)
    assert {key: amount for key, (amount, _) in drops.current().items()} == {"1": "1.234,50", "2": "1.234", "3": "3.00"}
