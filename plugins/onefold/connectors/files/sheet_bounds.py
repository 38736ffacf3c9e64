"""What a part of a workbook may hold: it is counted before openpyxl, which holds much of it in memory, sees any of it.

openpyxl makes objects of a whole row or text at once, and of everything that is neither (styles, names, merged cells).
"""

from __future__ import annotations

from typing import IO
from xml.parsers import expat

from onefold.connectors.files.unfit import Unfit
from onefold.http.spool import CHUNK

ROWS = 1_048_576
COLUMNS = 16_384
"""Excel's own limits (ECMA-376 states none); numbers beyond them are traps for readers that count up to them."""
TEXTS = 4_000_000
"""In the table of shared texts."""
SHEETS = 1000
WITHIN = 100_000
"""Elements of one row or text."""
OUTSIDE = 400_000
"""Elements of a part that are in no row and no text."""
LONGEST = 8 * 1024**2
"""Bytes of one row or text, and of one tag."""
BESIDE = 64 * 1024**2
"""Bytes of a part that are in no row and no text, before the first or after one."""
DEEPEST = 100


def require_bounded(part: IO[bytes], shown: str) -> None:
    """Raises Unfit when the part, called `shown` in the message, holds more than any workbook does. What is no XML is
    left for openpyxl to refuse."""
    count = _Count(shown)
    fed = 0
    try:
        while chunk := part.read(CHUNK):
            count.parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - count.parser.CurrentByteIndex > LONGEST or (count.within and fed - count.begun > LONGEST):
                raise Unfit(f"its part {shown} has a row, text or tag of more than {LONGEST >> 20} MiB")
            if fed - count.begun > BESIDE:
                raise Unfit(f"its part {shown} has more than {BESIDE >> 20} MiB that are in no row and no text")
    except expat.ExpatError:
        return


class _Count:
    """Counts in expat's handlers."""

    def __init__(self, shown: str) -> None:
        self.parser = parser = expat.ParserCreate(namespace_separator="}")
        self.within = False
        self.begun = 0
        """Where in the part the last row or text began."""
        depth = elements = 0
        units = {"row": 0, "si": 0}
        unit_depth = 0
        outside = sheets = 0

        def start(tag: str, _: object) -> None:
            nonlocal depth, elements, unit_depth, outside, sheets
            depth += 1
            if self.within:
                elements += 1
                if elements > WITHIN:
                    raise Unfit(f"its part {shown} has a row or text of more than {WITHIN} parts")
            elif (name := tag.rpartition("}")[2]) in units:
                units[name] += 1
                self.within, unit_depth, elements, self.begun = True, depth, 0, parser.CurrentByteIndex
                if units["row"] > ROWS or units["si"] > TEXTS:
                    raise Unfit(f"its part {shown} has more than {ROWS} rows or {TEXTS} texts: split the workbook")
            else:
                outside += 1
                sheets += name == "sheet"
                if sheets > SHEETS:
                    raise Unfit(f"it has more than {SHEETS} sheets: split the workbook")
                if outside > OUTSIDE:
                    raise Unfit(
                        f"its part {shown} has more than {OUTSIDE} elements beside rows: save it without styles"
                    )
            if depth > DEEPEST:
                raise Unfit(f"its part {shown} has elements within each other more than {DEEPEST} times")

        def end(_: str) -> None:
            nonlocal depth
            if self.within and depth == unit_depth:
                self.within = False
            depth -= 1

        parser.StartElementHandler, parser.EndElementHandler = start, end
