"""CSV files: the declared encoding and delimiter, read strictly, line by line."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from io import TextIOWrapper
from typing import BinaryIO

from onefold.catalog.file_format import Format
from onefold.catalog.stream import Stream
from onefold.connectors.files.table import Row, Unfit, table_rows
from onefold.http.spool import chunks


def csv_rows(file: BinaryIO, name: str, form: Format, stream: Stream) -> Iterator[Row]:
    """The rows of the file. Raises Unfit when it is empty, in another encoding or cut, or has other columns."""
    _require_encoding(file, form.encoding)
    text = TextIOWrapper(file, form.encoding, newline="")
    try:
        yield from table_rows(_lines(text, form), form, stream)
    except UnicodeDecodeError as error:
        raise Unfit(f"it is not in the encoding {form.encoding} (first at its byte {error.start})") from None
    finally:
        text.detach()


def _lines(text: TextIOWrapper, form: Format) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text, delimiter=form.delimiter, strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Unfit(f"line {reader.line_num} is no CSV: {error}") from None
        if cells is None:
            return
        if any("\0" in cell for cell in cells):
            raise Unfit(f"line {reader.line_num} holds NUL characters: is it UTF-16, or no text")
        if cells:
            yield reader.line_num, cells


def _require_encoding(file: BinaryIO, declared: str) -> None:
    """Refuse what a one-byte encoding would read as nonsense without complaint: UTF-8, UTF-16.

    A text of that encoding with letters beyond ASCII is practically never well-formed UTF-8.
    """
    file.seek(0)
    start = file.read(4)
    utf_8 = codecs.lookup(declared).name in ("utf-8", "utf-8-sig")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not codecs.lookup(declared).name.startswith(
        "utf-16"
    ):
        raise Unfit(f"it is in UTF-16, not in {declared}")
    if start.startswith(codecs.BOM_UTF8):
        if not utf_8:
            raise Unfit(f"it is in UTF-8 with a byte order mark, not in {declared}")
        file.seek(len(codecs.BOM_UTF8))
        return
    file.seek(0)
    if utf_8 or codecs.lookup(declared).name.startswith("utf-"):
        return
    decoder, ascii_only = codecs.getincrementaldecoder("utf-8")(), True
    try:
        for chunk in chunks(file):
            ascii_only = ascii_only and chunk.isascii()
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        ascii_only = True  # no UTF-8: as declared, for all that can be told
    file.seek(0)
    if not ascii_only:
        raise Unfit(f"it is in UTF-8, not in {declared}")
