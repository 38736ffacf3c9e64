"""What CSV files and workbooks have in common: a header that must be the declared one, and cells that become values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from onefold.catalog.fields import SourceField
from onefold.catalog.file_format import Format
from onefold.catalog.stream import Stream

Cell = str | int | float | Decimal | bool | date | datetime | time | timedelta | None
Row = Mapping[str, object]

_SPACES = re.compile(r"[ \u00a0\u202f]")
_NUMBER = {
    ",": re.compile(r"[+-]?[0-9]+(?:,[0-9]+)?"),
    ".": re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"),
}


class Unfit(Exception):
    """A file cannot be used. Its text says why, never with a value from it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its name and the field that it fills; None: it is known and not used."""

    name: str
    field: SourceField | None


def columns(header: Sequence[str], stream: Stream) -> list[Column]:
    """The file's columns in its own order. Raises Unfit unless they are exactly the declared ones."""
    names = [name.strip() for name in header]
    wanted = {
        field.path or name: field
        for name, field in stream.fields.items()
        if not (field.path or name).startswith(("_file.", "$"))
    }
    missing = [name for name, field in wanted.items() if field.required and name not in names]
    if missing:
        one = len(names) == 1 and len(wanted) > 1
        hint = "; it has one column only: is the delimiter another one" if one else ""
        raise Unfit(f"the header has no column {', '.join(missing)}{hint}")
    extra = [name for name in names if name not in wanted and name not in stream.ignore]
    if extra:
        raise Unfit(
            f"the header has {len(extra)} columns that the catalogue does not know ({', '.join(extra)[:120]}): add "
            "them to fields or ignore"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Unfit(f"the header has the column {', '.join(twice)} more than once")
    return [Column(name, wanted.get(name)) for name in names]


def table_rows(lines: Iterator[tuple[int, Sequence[Cell]]], form: Format, stream: Stream) -> Iterator[Row]:
    """The rows below the header; lines come with their numbers. Raises Unfit at the first that is too long or short."""
    first = next(lines, None)
    if first is None:
        raise Unfit("the file is empty")
    header = columns(["" if cell is None else str(cell) for cell in first[1]], stream)
    for number, cells in lines:
        if len(cells) != len(header):
            raise Unfit(f"line {number} has {len(cells)} cells, the header {len(header)}")
        yield {
            column.name: value(cell, column.field, form)
            for column, cell in zip(header, cells, strict=True)
            if column.field
        }


def value(cell: Cell, field: SourceField, form: Format) -> object:
    """The cell as JSON: numbers as exact decimal text, dates as ISO text, nothing as null.

    A text that is not written as the format says must not pass for something else ("1.234" where the decimal mark is a
    comma): it is given with a remark, which no number or date is, so that the gate sets its row aside.
    """
    if isinstance(cell, str):
        return _from_text(cell.strip(), field, form)
    if isinstance(cell, bool) or cell is None:
        return cell
    if isinstance(cell, (int, float, Decimal)):
        return format(Decimal(repr(cell) if isinstance(cell, float) else cell), "f")
    if isinstance(cell, timedelta):
        raise Unfit("a cell of a column that is read holds a duration")
    if isinstance(cell, datetime) and field.type == "date":
        return cell.date().isoformat()
    return cell.isoformat()


def _from_text(text: str, field: SourceField, form: Format) -> str | None:
    if not text:
        return None
    if field.type in ("numeric", "integer"):
        number = _SPACES.sub("", text)
        if _NUMBER[form.decimal].fullmatch(number):
            return number.replace(",", ".")
        return f"{text} (no number with the decimal mark {form.decimal!r})"
    if field.type == "date":
        try:
            day = datetime.strptime(text, form.dates).date() if form.dates else date.fromisoformat(text)
        except ValueError:
            return f"{text} (no date written as {form.dates or 'YYYY-MM-DD'})"
        return day.isoformat()
    return text
