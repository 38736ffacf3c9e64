"""Excel workbooks (.xlsx), read row by row. What is in the archive is looked at before openpyxl sees any of it.

Formulas are given as their text, which the gate refuses: nobody knows when its cached value was computed, or from what.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import BinaryIO
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.cell.cell import Cell as SheetCell
from openpyxl.cell.cell import MergedCell
from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell
from openpyxl.utils.exceptions import InvalidFileException

from onefold.catalog.file_format import Format
from onefold.catalog.stream import Stream
from onefold.connectors import safe_xml
from onefold.connectors.archive import DAMAGED, Overfull, open_archive
from onefold.connectors.files.cells import FORMULA, Cell
from onefold.connectors.files.merged_cells import Merge, merges, unmerged
from onefold.connectors.files.packed import require_small
from onefold.connectors.files.sheet_bounds import COLUMNS, ROWS, require_bounded
from onefold.connectors.files.table import Line, Row, filled, table_rows
from onefold.connectors.files.unfit import Unfit
from onefold.connectors.records import key_names
from onefold.foreign_text import shown_name
from onefold.http.attempt import BadBody
from onefold.http.spool import CHUNK

ACTIVE = ("vbaproject", "macrosheets/", "activex/", "embeddings/", "externallinks/")
"""Parts of a workbook that can run something or fetch something."""
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
TEXTS = 128 * 1024**2
"""openpyxl holds the table of shared texts in memory: more of it than this is refused."""
CELLS = 100_000_000
"""Of a sheet, with the empty ones left of a row's last: each costs time."""


def xlsx_rows(file: BinaryIO, name: str, form: Format, stream: Stream) -> Iterator[Row]:
    """The rows of the sheet. Raises Unfit for what is no sound workbook without macros, or has other columns."""
    _require_harmless(file, name)
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that are not read
            book = openpyxl.load_workbook(file, read_only=True, keep_links=False)
            try:
                title = _title(book, form)
                ranges = _merges(file, title)
                yield from table_rows(
                    _lines(book, title),
                    form,
                    stream,
                    lambda lines, header: unmerged(lines, header, ranges, fill=form.merged == "fill"),
                    book.epoch,
                )
            finally:
                book.close()
    except DAMAGED as error:
        raise Unfit("the workbook is cut off or damaged: one of its parts cannot be unpacked") from error
    except (InvalidFileException, KeyError, ValueError, TypeError, IndexError, AttributeError, ParseError) as error:
        # openpyxl has no error of its own for a workbook whose parts do not fit together
        raise Unfit(f"it is no workbook that can be read ({type(error).__name__})") from error


def sheet_lines(file: BinaryIO, name: str, form: Format) -> Iterator[Line]:
    """The rows of a sheet that are not empty, as they are. Raises Unfit for what is no sound workbook."""
    _require_harmless(file, name)
    file.seek(0)
    try:
        book = openpyxl.load_workbook(file, read_only=True, keep_links=False)
        try:
            yield from _lines(book, _title(book, form))
        finally:
            book.close()
    except DAMAGED as error:
        raise Unfit("the workbook is cut off or damaged: one of its parts cannot be unpacked") from error
    except (InvalidFileException, KeyError, ValueError, TypeError, IndexError, AttributeError, ParseError) as error:
        raise Unfit(f"it is no workbook that can be read ({type(error).__name__})") from error


def _title(book: openpyxl.Workbook, form: Format) -> str:
    if form.sheet and form.sheet not in book.sheetnames:
        raise Unfit(f"there is no sheet {form.sheet!r}; there are {key_names(book.sheetnames)}")
    return form.sheet or book.worksheets[0].title


def _lines(book: openpyxl.Workbook, title: str) -> Iterator[Line]:
    sheet = book[title]
    sheet.reset_dimensions()  # what a file says of its own size need not be true
    read = 0
    for number, row in enumerate(sheet.iter_rows(), start=1):
        read += len(row)
        if number > ROWS:
            raise Unfit(f"it has a row beyond {ROWS}")
        if len(row) > COLUMNS or read > CELLS:
            raise Unfit(f"it has more than {COLUMNS} columns or {CELLS:,} cells: delete the empty ones")
        cells = [_cell(cell) for cell in row]
        while cells and not filled(cells[-1]):
            cells.pop()
        if cells:
            yield Line(number, cells)


def _merges(file: BinaryIO, title: str) -> list[Merge]:
    """The merged cells of the sheet with this name; which part of the workbook it is, workbook.xml and its relations
    say (ECMA-376, 18.2.19)."""
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        for book in (name for name in names if name.endswith("workbook.xml")):
            folder, _, last = book.rpartition("/")
            sheets = safe_xml.tree(BytesIO(archive.read(book))).iterfind("{*}sheets/{*}sheet")
            wanted = {sheet.get(_RELATION) or sheet.get(_STRICT) for sheet in sheets if sheet.get("name") == title}
            for relation in safe_xml.tree(BytesIO(archive.read(f"{folder}/_rels/{last}.rels".lstrip("/")))):
                target = str(relation.get("Target"))
                part = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}".lstrip("/")
                if relation.get("Id") in wanted and part in names:
                    return merges(archive, part)
    raise Unfit(f"its sheet {shown_name(title)} is not where the workbook says")


def _cell(cell: ReadOnlyCell | EmptyCell | SheetCell | MergedCell) -> Cell:
    if cell.data_type == "f":
        text = str(cell.value)
        return FORMULA + (text if text.startswith("=") else "=formula")
    if cell.data_type == "e":  # what a formula left
        return f"{FORMULA}={cell.value}"
    value = cell.value
    if value is None or isinstance(value, str | int | float | Decimal | bool | date | datetime | time | timedelta):
        return value
    raise Unfit(f"a cell holds a value of a kind that is not read: {type(value).__name__}")


def _require_harmless(file: BinaryIO, name: str) -> None:
    file.seek(0)
    if name.lower().endswith((".xlsm", ".xltm", ".xlsb", ".xls")):
        raise Unfit("it is a workbook with macros or in the old format; save it as .xlsx")
    if file.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Unfit("it is encrypted or in Excel's old format; save it as .xlsx without a password")
    if not file.seek(0, 2):
        raise Unfit("the file is empty")
    try:
        with open_archive(file) as archive:
            entries = archive.infolist()
            for entry in entries:
                if any(part in entry.filename.lower() for part in ACTIVE):
                    raise Unfit(f"it holds active content ({shown_name(entry.filename)}): macros, links or objects")
            _require_small(entries)
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels")):
                    _require_plain(archive, entry)
    except Overfull as error:
        raise Unfit(str(error)) from error
    except DAMAGED as error:
        raise Unfit("it is no workbook, or one that is cut off: the archive cannot be read") from error


def _require_small(entries: list[zipfile.ZipInfo]) -> None:
    """By the sizes that the archive states; unpacking never gives more than those."""
    unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    texts = sum(e.file_size for e in entries if e.filename.lower().endswith("sharedstrings.xml"))
    require_small(unpacked, packed)
    if texts > TEXTS:
        raise Unfit(f"its table of texts is {texts >> 20} MiB: split the workbook")


def _require_plain(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    with archive.open(entry) as part:
        head = part.read(CHUNK)
    if entry.filename == "[Content_Types].xml" and b"macroEnabled" in head:
        raise Unfit("it says of itself that it holds macros")
    try:
        safe_xml.as_utf8(BytesIO(head))
    except BadBody as error:
        raise Unfit(f"its part {shown_name(entry.filename)} is {error}") from None
    with archive.open(entry) as part:
        require_bounded(part, shown_name(entry.filename))
