"""The report as a PDF, for people: who asked, each golden record and record with its source, purpose and recipients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from onefold.subject_report.model import SubjectReport
from onefold.subject_report.pages import Pages


@dataclass(frozen=True, slots=True)
class Pdf:
    """The file's bytes, and how many letters none of its fonts has: they stand in it as their numbers, [U+4E2D]."""

    content: bytes = field(repr=False)
    letters_named: int


def as_pdf(report: SubjectReport, fonts: Sequence[Path] = ()) -> Pdf:
    """The report as A4 pages; fonts: TrueType or OpenType files for letters that DejaVu Sans lacks, in this order."""
    made = _moment(report.made_at)
    footer = f"Report {report.report_id}, {made}"
    page = Pages("Your personal data", footer, report.made_at, report.report_id, fonts)
    page.heading("Your personal data", size=18)
    page.facts(
        {
            "Report": report.report_id,
            "Made": made,
            "Person asked about": "; ".join(report.known_by) or "-",
            "Controller": report.controller,
            "Contact": report.contact,
            "Data protection officer": report.data_protection_officer or "-",
        }
    )
    _golden(page, report)
    _records(page, report)
    _others(page, report)
    page.heading("Who receives your data, and your rights")
    page.lines(f"Recipient: {each}" for each in report.recipients or ["none"])
    page.lines(f"Transfer outside the EEA: {each}" for each in report.transfers or ["none"])
    page.lines(report.rights)
    if page.letters_named:
        page.heading("Letters that are not shown")
        said = (
            f"{page.letters_named:,} letters of the values above are in no font of this document. Each stands as its "
            "number in Unicode, as [U+4E2D]. The JSON file of this report has them as they are."
        )
        page.lines([said])
    return Pdf(bytes(page.output()), page.letters_named)


def _golden(page: Pages, report: SubjectReport) -> None:
    for golden in report.golden:
        page.heading(f"What the systems say together: {golden.title}")
        sources = {each.attribute: f"{each.system}, field {each.field or '-'}" for each in golden.sources}
        for version in golden.versions:
            page.subheading(f"From {_moment(version.since)} until {_moment(version.until) if version.until else 'now'}")
            page.rows(
                ("What", "Value", "From"),
                [
                    (name, value, sources.get(name, "") if version.until is None else "")
                    for name, value in version.values.items()
                ],
            )


def _records(page: Pages, report: SubjectReport) -> None:
    if not report.records:
        page.heading("Records")
        page.lines(["No system has a record that is about you."])
    for record in report.records:
        page.heading(record.title)
        page.facts(
            {
                "Source": f"{record.system}, {record.stream} {record.key}",
                "Purpose": record.purpose or "-",
                "Legal basis": record.legal_basis or "-",
                "Recipients": "; ".join([*record.recipients, *report.recipients]) or "-",
                "Kept": f"while the system has it, then {record.days_after_deletion:,} days; replaced versions "
                f"{record.days_replaced:,} days"
                + "".join(
                    f", values of class {name} in them {days:,} days"
                    for name, days in record.days_replaced_by_class.items()
                ),
            }
        )
        for version in record.versions:
            state = "deleted by the system" if version.deleted else "as it is now" if version.current else "replaced"
            page.subheading(f"Received {_moment(version.received_at)} (load {version.load_id}), {state}")
            page.rows(("Field", "Value"), list(version.values.items()))


def _others(page: Pages, report: SubjectReport) -> None:
    for waiting in report.waiting:
        page.heading(f"Kept apart, because a check failed: {waiting.stream}")
        page.facts({"Received": _moment(waiting.received_at), "State": waiting.state, "Check": waiting.reason})
        page.rows(("Field", "Value"), list(waiting.values.items()))
    for received in report.received:
        page.heading(f"As its sender posted it: {received.stream}")
        page.facts({"Received": _moment(received.received_at)})
        page.rows(("Field", "Value"), list(received.values.items()))
    if report.written_out:
        page.heading("Other systems that were given your data")
        page.rows(
            ("System", "What", "When"),
            [
                (
                    each.title,
                    f"{each.change} {each.object} {each.key or '-'}: {', '.join(each.fields)}",
                    _moment(each.at),
                )
                for each in report.written_out
            ],
        )
    if report.mentions:
        page.heading("Records about others in which you are named")
        page.rows(
            ("Where", "Rows", "Fields"),
            [(each.title, f"{each.rows:,}", ", ".join(each.fields)) for each in report.mentions],
        )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
