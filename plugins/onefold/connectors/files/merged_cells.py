"""Cells of a workbook that are merged: only the first of them holds the value, the others come as empty.

openpyxl says nothing of them when it reads row by row, so they are looked for in the sheet's own XML (SpreadsheetML's
mergeCell, which stands behind the rows).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from openpyxl.utils.cell import range_boundaries

from onefold.connectors.files.cells import Cell
from onefold.connectors.files.table import Column, Line
from onefold.connectors.files.unfit import Unfit
from onefold.http.spool import CHUNK

MOST = 100_000
"""So many merges are held in memory at most."""
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*[\"']([A-Z0-9:$]{2,30})[\"']")
_OVERLAP = 512


@dataclass(frozen=True, slots=True)
class Merge:
    """One range of merged cells: its name in the sheet, its rows and its columns, all counted from 1."""

    name: str
    top: int
    bottom: int
    left: int
    right: int


def merges(archive: zipfile.ZipFile, part: str) -> list[Merge]:
    """The merged ranges of the sheet that is this part of the workbook. Raises Unfit when there are too many."""
    found: dict[str, Merge] = {}
    with archive.open(part) as source:
        rest = b""
        while chunk := source.read(CHUNK):
            text = rest + chunk
            for name in _MERGE.findall(text):
                left, top, right, bottom = range_boundaries(name.decode())
                if left and top and right and bottom and (left, top) != (right, bottom):
                    found[name.decode()] = Merge(name.decode(), top, bottom, left, right)
            if len(found) > MOST:
                raise Unfit(f"it has more than {MOST} merged ranges")
            rest = text[-_OVERLAP:]
    return sorted(found.values(), key=lambda each: each.top)


def unmerged(lines: Iterable[Line], header: Sequence[Column], ranges: Sequence[Merge], *, fill: bool) -> Iterator[Line]:
    """The rows of the data, in which no cell that is read is empty only because it was merged.

    With `fill` the rows of a range that is one column wide all get its value. Raises Unfit for any other range.
    """
    read = [place for place, column in enumerate(header, start=1) if column.field]
    ranges = [each for each in ranges if any(each.left <= place <= each.right for place in read)]
    values: dict[str, Cell] = {}
    for number, cells, _ in lines:
        row = list(cells)
        for each in ranges:
            if not each.top <= number <= each.bottom:
                continue
            if not fill or each.left != each.right or (number > each.top and each.name not in values):
                raise Unfit(
                    f"its cells {each.name} are merged, and only the first of them holds the value: take the merge "
                    "apart" + ("" if fill else ", or set format.merged: fill, which gives it to every row")
                )
            row += [None] * (each.left - len(row))
            row[each.left - 1] = values.setdefault(each.name, row[each.left - 1])
        yield Line(number, row)
