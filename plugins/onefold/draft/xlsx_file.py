"""A draft from an Excel workbook: each sheet with a table is a stream; its header's row is looked for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO
from itertools import islice

import openpyxl

from onefold.catalog.file_format import Format
from onefold.connectors.files.table import Line, filled
from onefold.connectors.files.unfit import Unfit
from onefold.connectors.files.xlsx_file import sheet_lines
from onefold.draft.csv_file import FOLDER
from onefold.draft.json_sample import sampled_kind
from onefold.draft.model import Draft, DraftStream, Mark, Value
from onefold.draft.tables import columns, date_form, decimal_mark, kind, table_stream
from onefold.errors import Fatal

SAMPLE = 2_000
HEAD = 30
"""In so many rows the header is looked for."""


def xlsx_draft(content: bytes, file: str, stem: str) -> Draft:
    """Raises Fatal when the content is no sound workbook, or none of its sheets has a header with rows below it."""
    try:
        names = _sheet_names(content)
        streams: list[DraftStream] = []
        left_out: list[str] = []
        for sheet in names:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of styles and extensions that are not read
                lines = list(islice(sheet_lines(BytesIO(content), file, Format(kind="xlsx", sheet=sheet)), SAMPLE))
            found = _stream(lines, file, stem if len(names) == 1 else sheet, sheet, only=len(names) == 1)
            streams += [found] if found else []
            left_out += [] if found else [f"sheet {sheet}: it has no header with rows below it"]
    except Unfit as error:
        raise Fatal(f"{file}: {error}") from error
    if not streams:
        raise Fatal(f"{file}: none of its sheets has a header of two columns or more with rows below it")
    return Draft("files", f"Files like {file}", streams, marks=(FOLDER,), left_out=tuple(left_out))


def _sheet_names(content: bytes) -> list[str]:
    list(islice(sheet_lines(BytesIO(content), "x.xlsx", Format(kind="xlsx")), 1))  # refuses what is not sound
    book = openpyxl.load_workbook(BytesIO(content), read_only=True, keep_links=False)
    try:
        return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    finally:
        book.close()


def _stream(lines: Sequence[Line], file: str, name: str, sheet: str, *, only: bool) -> DraftStream | None:
    place = _header(lines)
    if place is None:
        return None
    header = [_text(cell) for cell in lines[place].cells]
    below = [line.cells for line in lines[place + 1 :]]
    found = columns(header, [[_text(cell) for cell in cells] for cells in below], file)
    decimal = decimal_mark(found)
    dates, ambiguous = date_form(found)
    kinds = {each: kind(each, values, dates, decimal) for each, values in found.filled.items()}
    kinds |= {
        each: typed for at, each in enumerate(found.values) if (typed := _typed([row[at : at + 1] for row in below]))
    }
    given: dict[str, Value] = {"kind": "xlsx"}
    given |= {} if only else {"sheet": sheet}
    given |= {"header_row": place + 1} if place else {}
    given |= {"decimal": decimal} if decimal != "." else {}
    given |= {"dates": dates} if dates and dates != "%Y-%m-%d" and "date" in kinds.values() else {}
    marks = [Mark("request", "which files: every one whose name fits")]
    marks += [Mark("format", "the header is not in the first row")] if place else []
    marks += [Mark("format", f"whether days come first in dates ({dates})")] if ambiguous else []
    width = len(found.values)
    if below and len([cell for cell in below[-1] if filled(cell)]) * 2 < width:
        marks.append(Mark("format", "the last row is a footer? say `footer`, a pattern of its first cell"))
    return table_stream(found, kinds, name, f"Sheet {sheet} of files like {file}", "*.xlsx", given, marks)


def _header(lines: Sequence[Line]) -> int | None:
    """The row, of those that are not empty, which has texts only, all different but for a few, and is as wide as the
    rows below it."""
    for place, line in enumerate(lines[:HEAD]):
        cells = [cell for cell in line.cells if filled(cell)]
        below = [len([cell for cell in each.cells if filled(cell)]) for each in lines[place + 1 : place + 6]]
        texts = all(isinstance(cell, str) for cell in cells) and len(cells) == len(line.cells)
        if texts and len(cells) > 1 and below and max(below) > 1 and 2 * len(cells) > max(below):
            return place
    return None


def _typed(cells: Sequence[Sequence[object]]) -> str | None:
    """The type that the cells themselves have; None where they are texts."""
    values = [cell[0] for cell in cells if cell and cell[0] is not None and cell[0] != ""]
    if not values or any(isinstance(value, str) for value in values):
        return None
    if all(isinstance(value, datetime) for value in values):
        whole = all(value.time() == datetime.min.time() for value in values if isinstance(value, datetime))
        return "date" if whole else "timestamp"
    if all(isinstance(value, date) for value in values):
        return "date"
    found = sampled_kind(values)
    return None if found == "json" else found


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()
