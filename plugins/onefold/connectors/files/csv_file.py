"""CSV files: one of the declared encodings and the declared delimiter, read strictly, line by line."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from typing import BinaryIO

from onefold.catalog.file_format import Format
from onefold.catalog.stream import Stream
from onefold.connectors.files.encoding import encoding_of
from onefold.connectors.files.table import Line, Row, filled, table_rows
from onefold.connectors.files.unfit import Damaged, Unfit

_HINT = re.compile(r'"?sep=.?"?\s*', re.IGNORECASE)
"""The first line of a file that is meant for Excel: it names the delimiter."""

LONGEST_LINE = 16 << 20
"""Characters."""


def csv_rows(
    file: BinaryIO, name: str, form: Format, stream: Stream, broken: Callable[[Line], Row] | None = None
) -> Iterator[Row]:
    """The rows of the file. Raises Unfit when it is empty, in another encoding or cut, or has other columns; for a row
    that is none only where nobody says what becomes of it (`broken`)."""
    encoding = encoding_of(file, form.encodings, form.languages)
    text = TextIOWrapper(file, encoding, newline="")
    try:
        yield from table_rows(_lines(text, form, one_by_one=broken is not None), form, stream, broken=broken)
    except UnicodeError as error:
        place = f" (first at its byte {error.start})" if isinstance(error, UnicodeDecodeError) else ""
        raise Unfit(f"it is not in the encoding {encoding}{place}") from None
    finally:
        text.detach()


def _lines(text: TextIOWrapper, form: Format, *, one_by_one: bool) -> Iterator[Line]:
    """The lines with anything in them, empty ones left out; `one_by_one`: also those that are no CSV."""
    lines = _ShortRows(text)
    reader = csv.reader(lines, delimiter=form.delimiter, strict=True)
    while True:
        lines.row = 0
        try:
            cells = next(reader, None)
        except csv.Error as error:
            fault = f"line {reader.line_num} is no CSV: {error}"
            if not one_by_one or "unexpected end" in str(error):
                raise Damaged(fault) from None
            yield Line(reader.line_num, [], fault)
            continue
        if cells is None:
            return
        if "\0" in "".join(cells):
            raise Unfit(f"line {reader.line_num} holds NUL characters: is it UTF-16, or no text")
        if reader.line_num == 1 and _HINT.fullmatch(form.delimiter.join(cells)):
            continue
        if any(map(filled, cells)):
            yield Line(reader.line_num, cells)


class _ShortRows:
    """The lines of the text. Raises Unfit where those of one row are longer than any row: they would all be held."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self.row = 0
        """Characters of the row that is being read."""

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(LONGEST_LINE):
            self.row += len(line)
            if self.row > LONGEST_LINE or (len(line) == LONGEST_LINE and not line.endswith(("\n", "\r"))):
                raise Unfit(
                    f"a line of it has more than {LONGEST_LINE >> 20} million characters, or a quotation mark is never "
                    "closed: is it a text at all"
                )
            yield line
