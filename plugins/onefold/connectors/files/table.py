"""What CSV files and workbooks have in common: a header that must be the declared one, and the rows below it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, zip_longest
from typing import NamedTuple

from onefold.catalog.fields import SourceField, keys_to
from onefold.catalog.file_format import Format
from onefold.catalog.stream import Stream
from onefold.connectors.files.cells import WINDOWS_EPOCH, Cell, read_cell
from onefold.connectors.files.unfit import Empty, Unfit
from onefold.connectors.records import key_names

HEAD = 100
"""In so many rows a header that is to be found is looked for."""


class Row(NamedTuple):
    """A row as JSON, and why some of its values are as they were written: each column's with the reason."""

    values: Mapping[str, object]
    unread: Mapping[str, str]


class Line(NamedTuple):
    """The cells of a row and its number in the file; `fault` is why they are none."""

    number: int
    cells: Sequence[Cell]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its name and the field that it fills; None: it is known and not used."""

    name: str
    field: SourceField | None


def wanted(stream: Stream) -> dict[str, SourceField]:
    """The columns that the stream declares, by the name that the file gives them."""
    found = dict[str, SourceField]()
    for name, field in stream.fields.items():
        path = field.path or name
        keys = keys_to(name, field) if path.startswith("$") else (path,)
        if keys and len(keys) == 1 and not path.startswith("_file."):
            found[keys[0]] = field
    return found


def columns(header: Sequence[Cell], stream: Stream) -> list[Column]:
    """The file's columns in its own order, without empty ones at the end. Raises Unfit unless they are exactly the
    declared ones."""
    declared = wanted(stream)
    names = _numbered(_names(header), declared)
    missing = [name for name, field in declared.items() if field.required and name not in names]
    if missing:
        one = len(names) == 1 and len(declared) > 1
        hint = "; it has one column only: is the delimiter another one" if one else ""
        raise Unfit(f"the header has no column {', '.join(missing)}{hint}")
    extra = [name for name in names if name not in declared and name not in stream.ignore]
    if extra:
        raise Unfit(
            f"the header has {len(extra)} columns that the catalogue does not know ({key_names(extra)}): add "
            "them to fields or ignore"
        )
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise Unfit(f"the header has the column {key_names(twice)} more than once")
    return [Column(name, declared.get(name)) for name in names]


def _numbered(names: list[str], declared: Mapping[str, SourceField]) -> list[str]:
    """The names; of several columns of one name the second is `name (2)` where the catalogue declares it so."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        numbered = f"{name} ({seen[name]})"
        found.append(numbered if seen[name] > 1 and numbered in declared else name)
    return found


Below = Callable[[Iterator[Line], Sequence[Column]], Iterator[Line]]
"""What a format does to the rows below the header before they are read."""


def table_rows(
    lines: Iterator[Line],
    form: Format,
    stream: Stream,
    below: Below | None = None,
    epoch: datetime = WINDOWS_EPOCH,
    *,
    broken: Callable[[Line], Row] | None = None,
) -> Iterator[Row]:
    """The rows between the header and the footer; lines are those with anything in them.

    Raises Unfit at the first that is too long or short, unless `broken` says what becomes of it.
    """
    header = _header(lines, form, stream)
    data = _above_footer(lines, form)
    for number, cells, unlike in below(data, header) if below else data:
        fault = unlike
        more = len(cells) - len(header)
        if (more < 0 and form.kind == "csv") or (more > 0 and any(map(filled, cells[len(header) :]))):
            fault = unlike or f"line {number} has {len(cells)} cells, the header {len(header)}"
        if fault:
            if broken is None:
                raise Unfit(fault)
            yield broken(Line(number, cells, fault))
            continue
        values, unread = dict[str, object](), dict[str, str]()
        for column, cell in zip_longest(header, cells[: len(header)] if more > 0 else cells):
            if column.field:
                values[column.name], why = read_cell(cell, column.field, form, epoch)
                if why:
                    unread[column.name] = why
        yield Row(values, unread)


def _above_footer(lines: Iterator[Line], form: Format) -> Iterator[Line]:
    footer = re.compile(form.footer) if form.footer else None
    for line in lines:
        if footer and footer.search(_first_text(line.cells)):
            return
        yield line


def filled(cell: Cell) -> bool:
    """Whether there is anything in the cell."""
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


def _header(lines: Iterator[Line], form: Format, stream: Stream) -> list[Column]:
    """The columns of the row that is the header by the format's rule; the lines are then those below it."""
    if form.header_row == "found":
        needed = {name for name, field in wanted(stream).items() if field.required}
        for line in islice(lines, HEAD):
            if needed <= set(_names(line.cells)):
                return columns(line.cells, stream)
        raise Unfit(f"none of its first {HEAD} rows has all of the columns {', '.join(sorted(needed))[:120]}")
    header = next(islice(lines, form.header_row - 1, None), None)
    if header is None:
        if form.header_row == 1:
            raise Empty("the file is empty")
        raise Unfit(f"it has no row {form.header_row} with the header")
    return columns(header.cells, stream)


def _names(header: Sequence[Cell]) -> list[str]:
    names = ["" if cell is None else str(cell).strip() for cell in header]
    while names and not names[-1]:
        names.pop()
    return names


def _first_text(cells: Sequence[Cell]) -> str:
    return next((str(cell).strip() for cell in cells if filled(cell)), "")
