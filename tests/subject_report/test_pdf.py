"""The PDF has what the report has, in any letters, and can be read by machines."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from onefold.errors import Fatal
from onefold.subject_report.model import (
    AttributeSource,
    GoldenReport,
    GoldenVersion,
    Mention,
    ReceivedRecord,
    RecordVersion,
    SourceRecord,
    SubjectReport,
    WaitingRecord,
)
from onefold.subject_report.pdf import as_pdf

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
VALUES = {f"field{number}": "Zażółć gęślą jaźń" for number in range(40)}
REPORT = SubjectReport(
    report_id="11111111-1111-1111-1111-111111111111",
    made_at=NOW,
    controller="Firma",
    contact="Długa 1",
    data_protection_officer=None,
    known_by=["email: zofia@firma.example"],
    golden=[
        GoldenReport(
            "employee",
            "Employee",
            "id",
            [GoldenVersion(NOW, None, VALUES), GoldenVersion(NOW, NOW, {"name": "Nowak"})],
            [AttributeSource("field1", "hr", "hr.employee", "firstName", NOW)],
        )
    ],
    records=[
        SourceRecord(
            *(
                "hr",
                "HR: Employees",
                "hr.employee",
                "7",
                "Employ people",
                "contract",
                ["ZUS"],
                730,
                {"sensitive": 180},
                3650,
            ),
            [RecordVersion(NOW, 1, current=True, deleted=False, values=VALUES)],
        )
    ],
    waiting=[WaitingRecord("hr.employee", NOW, "open", "a rule", {"long": "x" * 6_000})],
    received=[ReceivedRecord("hr.employee", NOW, {"posted": "by the sender"})],
    written_out=[],
    mentions=[Mention("microsoft365.message", "Messages", 3, ["subject"])],
    recipients=["Analysts"],
    transfers=[],
    rights=["You may ask for erasure."],
)


def texts_of(pdf: bytes) -> list[str]:
    """What each drawn piece of text says, by the tables that let machines read the fonts' glyphs."""
    streams = [_inflated(each) for each in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)]
    letters: dict[bytes, str] = {}
    for stream in streams:
        for code, letter in re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>", stream):
            letters[bytes.fromhex(code.decode())] = bytes.fromhex(letter.decode()).decode("utf-16-be")
    drawn = [each for stream in streams for each in re.findall(rb"\((.*?)(?<!\\)\) Tj", stream, re.DOTALL)]
    codes = [re.sub(rb"\\(.)", lambda at: b"\r" if at[1] == b"r" else at[1], each, flags=re.DOTALL) for each in drawn]
    return ["".join(letters[each[at : at + 2]] for at in range(0, len(each), 2)) for each in codes]


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def of_values(**values: str) -> SubjectReport:
    record = replace(REPORT.records[0], versions=[replace(REPORT.records[0].versions[0], values=values)])
    return replace(REPORT, golden=[], waiting=[], received=[], records=[record])


def test_it_says_who_asked_when_and_of_each_record_source_purpose_and_recipients_on_numbered_pages() -> None:
    texts = texts_of(as_pdf(REPORT).content)
    assert {
        "Your personal data",
        f"Report: {REPORT.report_id}",
        "Made: 2026-05-02 12:00 UTC",
        "Person asked about: email: zofia@firma.example",
        "Source: hr, hr.employee 7",
        "Purpose: Employ people",
        "Legal basis: contract",
        "Recipients: ZUS; Analysts",
        "hr, field firstName",
        "Zażółć gęślą jaźń",
        "As its sender posted it: hr.employee",
        "(continued)",
        "You may ask for erasure.",
    } <= set(texts)
    drawn = "".join(texts)
    assert "values of class sensitive" in drawn
    assert drawn.count("x" * 10) >= 300
    pages = drawn.count("Page ")
    assert pages > 3
    for number in range(1, pages + 1):
        assert f"Page {number} of {pages} - Report {REPORT.report_id}, 2026-05-02 12:00 UTC" in drawn


def test_letters_of_any_script_are_shown_or_named_and_never_an_empty_box() -> None:
    pdf = as_pdf(of_values(uk="Їжакевич", el="Γεώργιος", zh="王 小", bidi="a\u202eb\x00", nfd="z\u0307o", page="{nb}"))
    assert {"Їжакевич", "Γεώργιος", "[U+738B] [U+5C0F]", "a[U+202E]b[U+0000]", "żo", "{nb}"} <= set(
        texts_of(pdf.content)
    )
    assert pdf.letters_named == 4
    assert "4 letters of the values above are in no font" in " ".join(texts_of(pdf.content))


def test_arabic_and_hebrew_are_drawn_as_they_are_read() -> None:
    hebrew, arabic = "דוד (לוי) 12", "محمد علي"
    texts = texts_of(
        as_pdf(of_values(he=hebrew, ar=arabic, mixed=f"Jan {hebrew[:3]} Nowak", long="שלום " * 40)).content
    )
    assert "12 (" + "לוי"[::-1] + ") " + "דוד"[::-1] in texts
    assert "\ufef2\ufee0\ufecb \ufeaa\ufee4\ufea4\ufee3" in texts
    assert f"Jan {hebrew[:3][::-1]} Nowak" in texts
    assert len([text for text in texts if text.startswith("םולש")]) == 2


def test_a_font_of_the_reader_shows_what_the_own_one_lacks(tmp_path: Path) -> None:
    font = tmp_path / "chinese.ttf"
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "king"])
    builder.setupCharacterMap({ord("王"): "king"})
    builder.setupGlyf({name: TTGlyphPen(None).glyph() for name in (".notdef", "king")})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "king": (1000, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Chinese", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(font)
    pdf = as_pdf(of_values(zh="王"), [font])
    assert pdf.letters_named == 0
    assert "王" in "".join(texts_of(pdf.content))
    font.write_text("no font")
    with pytest.raises(Fatal, match="is no font"):
        as_pdf(REPORT, [font])


def test_values_of_many_lines_and_reports_without_any_record_are_drawn_too() -> None:
    assert sum(text == "line" for text in texts_of(as_pdf(of_values(note="line\n" * 500)).content)) == 500
    nothing = as_pdf(replace(REPORT, golden=[], records=[], waiting=[], received=[], mentions=[], recipients=[]))
    assert {"No system has a record that is about you.", "Recipient: none"} <= set(texts_of(nothing.content))
