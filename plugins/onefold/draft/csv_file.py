"""A draft from one CSV file: encoding, delimiter, decimal mark and date format are guessed from its first lines."""

from __future__ import annotations

import csv
import re
from itertools import islice
from pathlib import Path

from onefold.draft.model import Draft, DraftStream, Fields, Value, field_of, personal_class, stream_name
from onefold.errors import Fatal

SAMPLE = 2_000
_DELIMITERS = ";,\t|"
_ENCODINGS = ("utf-8-sig", "cp1250")
_DATES = (("%Y-%m-%d", r"\d{4}-\d\d-\d\d"), ("%d.%m.%Y", r"\d\d\.\d\d\.\d{4}"), ("%d-%m-%Y", r"\d\d-\d\d-\d{4}"))
_INTEGER = r"[+-]?(0|[1-9]\d{0,17})"
_COMMA, _POINT = r"[+-]?\d{1,3}([ \u00a0]?\d{3})*,\d+", r"[+-]?\d+\.\d+"


def csv_draft(path: Path) -> Draft:
    """Raises Fatal when the file is empty, is no text, or has no header."""
    encoding, lines = _read(path)
    delimiter = max(_DELIMITERS, key=lines[0].count)
    header, *rows = list(csv.reader(lines, delimiter=delimiter))
    if len(header) < 2 or len(set(header)) < len(header) or not all(name.strip() for name in header):
        raise Fatal(f"{path.name}: the first line is no header: different names with one of ; , tab | between them")
    columns = {name: [row[place].strip() for row in rows if place < len(row)] for place, name in enumerate(header)}
    filled = {name: [value for value in values if value] for name, values in columns.items()}
    decimal = "," if any(_all(_COMMA, values) for values in filled.values()) else "."
    dates = next((form for form, shape in _DATES if any(_all(shape, values) for values in filled.values())), None)
    fields: Fields = {name: field_of(name, _kind(name, filled[name]), required=True) for name in header}
    unique = [name for name in header if filled[name] and len(set(columns[name])) == len(rows)]
    fields |= {"file": {"path": "_file.name"}, "file_changed": {"path": "_file.modified", "type": "timestamp"}}
    given: dict[str, Value] = {"kind": "csv", "encoding": encoding.removesuffix("-sig"), "delimiter": delimiter}
    given |= {"decimal": decimal} if decimal != "." else {}
    given |= {"dates": dates} if dates and dates != "%Y-%m-%d" else {}
    stream = DraftStream(
        name=stream_name(path.stem),
        title=f"Files like {path.name}",
        fields=fields,
        keys=unique[:1] or header[:1],
        request={"path": "*.csv"},
        more={"format": given},
        cursor={"fields": ["file_changed"], "of": "file"},
        after={"volatile": ["_file"]},
        doubts=("primary_key is a guess", "types are guessed from the first lines"),
    )
    return Draft("files", f"Files like {path.name}", [stream])


def _read(path: Path) -> tuple[str, list[str]]:
    for encoding in _ENCODINGS:
        try:
            with path.open(encoding=encoding, newline="") as file:
                lines = list(islice(file, SAMPLE))
        except UnicodeDecodeError:
            continue
        if not lines:
            raise Fatal(f"{path.name} is empty; give a file with a header and some lines")
        return encoding, lines
    raise Fatal(f"{path.name} is no text in {' or '.join(_ENCODINGS)}; save it as CSV first")


def _kind(name: str, values: list[str]) -> str:
    """Numbers of people and companies are text: they may begin with a zero."""
    if not values or personal_class(name) != "none":
        return "text"
    if any(_all(shape, values) for _, shape in _DATES):
        return "date"
    if _all(_INTEGER, values):
        return "integer"
    return "numeric" if _all(f"{_INTEGER}|{_COMMA}|{_POINT}", values) else "text"


def _all(shape: str, values: list[str]) -> bool:
    return bool(values) and all(re.fullmatch(shape, value) for value in values)
