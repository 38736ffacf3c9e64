"""A draft from one CSV file: encoding, delimiter, decimal mark and date format are guessed from its first lines."""

from __future__ import annotations

import codecs
import csv
import re
from io import StringIO
from itertools import islice

from onefold.draft.model import Draft, Mark, Value
from onefold.draft.tables import columns, date_form, decimal_mark, kind, table_stream
from onefold.errors import Fatal

SAMPLE = 2_000
_DELIMITERS = ";,\t|"
_ENCODINGS = ("utf-8-sig", "cp1250")
_HINT = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


def csv_draft(content: bytes, file: str, stem: str) -> Draft:
    """Raises Fatal when the file is empty, is no text, or has no header. `file` is its name, `stem` without ending."""
    encoding, text = _decoded(content, file)
    sample = list(islice(StringIO(text, newline=""), SAMPLE))
    if not sample:
        raise Fatal(f"{file} is empty; give a file with a header and some lines")
    hint = _HINT.fullmatch(sample[0])
    sample = sample[1:] if hint else sample
    delimiter = hint[1] if hint else _delimiter(sample)
    rows = [row for row in csv.reader(sample, delimiter=delimiter) if any(cell.strip() for cell in row)]
    if not rows:
        raise Fatal(f"{file} is empty; give a file with a header and some lines")
    header, *data = rows
    whole = [row for row in data if len(row) >= len(header)]
    found = columns(header, whole, file)
    decimal = decimal_mark(found)
    dates, ambiguous = date_form(found)
    kinds = {name: kind(name, values, dates, decimal) for name, values in found.filled.items()}
    given: dict[str, Value] = {"kind": "csv", "encoding": encoding.removesuffix("-sig"), "delimiter": delimiter}
    given |= {"decimal": decimal} if decimal != "." else {}
    given |= {"dates": dates} if dates and dates != "%Y-%m-%d" else {}
    marks = [Mark("format", f"whether days come first in dates ({dates})")] if ambiguous else []
    marks.append(Mark("request", "which files: every one whose name fits"))
    stream = table_stream(found, kinds, stem, f"Files like {file}", "*.csv", given, marks)
    return Draft("files", f"Files like {file}", [stream], marks=(FOLDER,))


FOLDER = Mark("connection", "its host is the folder as file:///absolute/folder, or s3://bucket/prefix")


def _decoded(content: bytes, file: str) -> tuple[str, str]:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", content.decode("utf-16", errors="replace")
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text[:10_000]:
            return encoding, text
    raise Fatal(f"{file} is no text in {' or '.join(_ENCODINGS)}; save it as CSV first")


def _delimiter(lines: list[str]) -> str:
    """The mark that gives the most columns, of which most lines have as many as the header."""

    def alike(mark: str) -> tuple[bool, int]:
        widths = [len(row) for row in csv.reader(lines[:50], delimiter=mark) if row]
        same = sum(width == widths[0] for width in widths) if widths else 0
        return bool(widths) and widths[0] > 1 and same * 2 >= len(widths), widths[0] if widths else 0

    return max(_DELIMITERS, key=alike)
