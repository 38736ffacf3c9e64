"""The PDF has what the report has, in Polish letters too, and can be read by machines."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from onefold.subject_report.model import (
    AttributeSource,
    GoldenReport,
    GoldenVersion,
    Mention,
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
            *("hr", "HR: Employees", "hr.employee", "7", "Employ people", "contract", ["ZUS"], 730, 3650),
            [RecordVersion(NOW, 1, current=True, deleted=False, values=VALUES)],
        )
    ],
    waiting=[WaitingRecord("hr.employee", NOW, "open", "a rule", {"long": "x" * 20_000})],
    mentions=[Mention("microsoft365.message", "Messages", 3, ["subject"])],
    recipients=["Analysts"],
    transfers=[],
    rights=["You may ask for erasure."],
)


def letters_of(pdf: bytes) -> set[str]:
    """The letters that the document shows, by the table that lets machines read its glyphs."""
    return {
        bytes.fromhex(letter.decode()).decode("utf-16-be")
        for letter in re.findall(rb"<[0-9A-F]{4}> <([0-9A-F]{4})>", pdf)
    }


def test_it_is_a_pdf_of_several_pages_with_the_letters_of_its_values() -> None:
    pdf = as_pdf(REPORT)
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", pdf)) > 3
    assert set("Zażółćgęśląjaźń") <= letters_of(pdf)


def test_a_report_with_nothing_but_mentions_is_one_too() -> None:
    assert as_pdf(replace(REPORT, golden=[], records=[], waiting=[])).startswith(b"%PDF-")
