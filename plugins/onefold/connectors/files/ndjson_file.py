"""NDJSON: a record on each line, its digits as they were written."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from io import TextIOWrapper
from typing import BinaryIO

import msgspec

from onefold.catalog.file_format import Format
from onefold.catalog.stream import Stream
from onefold.connectors.files.csv_file import LONGEST_LINE
from onefold.connectors.files.encoding import encoding_of
from onefold.connectors.files.table import Row
from onefold.connectors.files.unfit import Damaged, Unfit
from onefold.connectors.lenient_json import read_lenient

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def ndjson_rows(file: BinaryIO, name: str, form: Format, stream: Stream) -> Iterator[Row]:
    """The records of the file. Raises Unfit when a line is none, or the file is in another encoding."""
    for number, line in enumerate(ndjson_lines(file, form), start=1):
        try:
            yield Row(_object.decode(line), {})
        except (msgspec.DecodeError, RecursionError):
            raise Unfit(f"line {number} is no JSON object") from None


def ndjson_lines(file: BinaryIO, form: Format) -> Iterator[bytes]:
    """The lines in UTF-8, as they are, empty ones left out.

    Raises Unfit when the file is in another encoding, or none of its lines is an object, and Damaged when its last one
    is cut off.
    """
    some, lines = False, 0
    for line in _utf8_lines(file, encoding_of(file, form.encodings, form.languages)):
        text = line.strip()
        if not text:
            continue
        some, lines = some or _is_object(text), lines + 1
        if some and not line.endswith(b"\n") and not _is_object(text):
            raise Damaged("its last line is cut off")
        yield text
    if lines and not some:
        raise Unfit("none of its lines is a JSON object: is it a list, or one value over several lines")


def _utf8_lines(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    if codecs.lookup(encoding).name in ("utf-8", "ascii"):
        while line := file.readline(LONGEST_LINE):
            yield _short(line)
        return
    text = TextIOWrapper(file, encoding, newline="")
    try:
        while read := text.readline(LONGEST_LINE):
            yield _short(read.encode())
    except UnicodeError:
        raise Unfit(f"it is not in the encoding {encoding}") from None
    finally:
        text.detach()


def _short(line: bytes) -> bytes:
    if len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
        raise Unfit(f"a line of it has more than {LONGEST_LINE >> 20} million characters")
    return line


def _is_object(line: bytes) -> bool:
    """Whether it is a whole object, also one with NaN or the like in it."""
    try:
        _object.decode(line)
    except msgspec.ValidationError:
        return False
    except (msgspec.DecodeError, RecursionError):
        try:
            return isinstance(read_lenient(line), dict)
        except (ValueError, RecursionError):
            return False
    return True
