"""The report as a PDF, for people: A4, a section a part, in a font with Polish letters (fonts/, with its licence)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from fpdf import FPDF, XPos, YPos

from onefold.subject_report.model import SubjectReport

FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
_LINE = 5
_GREY = (90, 90, 90)
_MOST_LETTERS = 600
"""Of a cell; so many of the widest fit on a page in the narrowest column."""


def as_pdf(report: SubjectReport) -> bytes:
    """The PDF's bytes."""
    page = _Pages(report)
    page.heading("Your personal data", size=18)
    page.facts(
        {
            "Report": report.report_id,
            "Made": _moment(report.made_at),
            "Controller": report.controller,
            "Contact": report.contact,
            "Data protection officer": report.data_protection_officer or "-",
            "You were looked for by": "; ".join(report.known_by),
        }
    )
    _golden(page, report)
    _records(page, report)
    _others(page, report)
    page.heading("Who receives your data, and your rights")
    page.lines(f"Recipient: {each}" for each in report.recipients)
    page.lines(f"Transfer outside the EEA: {each}" for each in report.transfers or ["none"])
    page.lines(report.rights)
    return bytes(page.output())


def _golden(page: _Pages, report: SubjectReport) -> None:
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


def _records(page: _Pages, report: SubjectReport) -> None:
    for record in report.records:
        page.heading(record.title)
        page.facts(
            {
                "Record": f"{record.stream} {record.key}",
                "Purpose": record.purpose or "-",
                "Legal basis": record.legal_basis or "-",
                "Recipients": "; ".join([*record.recipients, *report.recipients]),
                "Kept": f"while the system has it, then {record.days_after_deletion:,} days; replaced versions "
                f"{record.days_replaced:,} days",
            }
        )
        for version in record.versions:
            state = "deleted by the system" if version.deleted else "as it is now" if version.current else "replaced"
            page.subheading(f"Received {_moment(version.received_at)} (load {version.load_id}), {state}")
            page.rows(("Field", "Value"), list(version.values.items()))


def _others(page: _Pages, report: SubjectReport) -> None:
    for waiting in report.waiting:
        page.heading(f"Kept apart, because a check failed: {waiting.stream}")
        page.facts({"Received": _moment(waiting.received_at), "State": waiting.state, "Check": waiting.reason})
        page.rows(("Field", "Value"), list(waiting.values.items()))
    if report.mentions:
        page.heading("Records about others in which you are named")
        page.rows(
            ("Where", "Rows", "Fields"),
            [(each.title, f"{each.rows:,}", ", ".join(each.fields)) for each in report.mentions],
        )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _parts(row: Sequence[str]) -> list[tuple[str, ...]]:
    """The row in as many rows as its longest value needs: one that does not fit on a page cannot be drawn."""
    count = max(1, *(-(-len(cell) // _MOST_LETTERS) for cell in row))
    return [tuple(cell[part * _MOST_LETTERS : (part + 1) * _MOST_LETTERS] for cell in row) for part in range(count)]


class _Pages(FPDF):
    """A document with the few kinds of text that the report has."""

    def __init__(self, report: SubjectReport) -> None:
        super().__init__(format="A4")
        self.set_title(f"Personal data, report {report.report_id}")
        self.set_creator("Onefold")
        self.set_creation_date(report.made_at)
        self.add_font("report", fname=FONT)
        self.set_auto_page_break(auto=True, margin=18)
        self.add_page()

    def footer(self) -> None:
        """The number of the page."""
        self.set_y(-14)
        self._write(f"{self.page_no()} / {{nb}}", 8)

    def heading(self, text: str, size: int = 13) -> None:
        """The title of a section."""
        self.ln(4)
        self._write(text, size)
        self.ln(1)

    def subheading(self, text: str) -> None:
        """The title of a part of a section."""
        self.ln(2)
        self.set_text_color(*_GREY)
        self._write(text, 9)
        self.set_text_color(0, 0, 0)

    def lines(self, texts: Iterable[str]) -> None:
        """A line each."""
        for text in texts:
            self._write(text, 9)

    def facts(self, facts: Mapping[str, str]) -> None:
        """Names and what they are."""
        self.lines(f"{name}: {value}" for name, value in facts.items())

    def rows(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; a value that is too long for a page goes on in the rows below."""
        self.set_font("report", size=8)
        widths = (30, 50, 20) if len(heads) == 3 else (35, 65)
        with self.table(col_widths=widths, line_height=4, text_align="LEFT", first_row_as_headings=False) as table:
            for cells in (heads, *(part for row in rows for part in _parts(row))):
                row = table.row()
                for cell in cells:
                    row.cell(cell)

    def _write(self, text: str, size: int) -> None:
        self.set_font("report", size=size)
        self.multi_cell(0, _LINE, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
