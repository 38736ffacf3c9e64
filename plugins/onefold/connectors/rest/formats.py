"""Answers that are no JSON document: CSV, workbooks, XML, and a JSON object on each line, packed or not.

They are read as files are (connectors/files): an answer is whole or it is nothing. Its records are written down while
it is read and given once its end is there, so that its size costs disk and not memory.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from io import SEEK_END
from itertools import islice
from typing import BinaryIO

from onefold.catalog.file_format import Format
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.charset import charset_of
from onefold.connectors.files.csv_file import csv_rows
from onefold.connectors.files.ndjson_file import ndjson_lines
from onefold.connectors.files.packed import unpack
from onefold.connectors.files.table import Line, Row
from onefold.connectors.files.unfit import Damaged, Empty, Unfit
from onefold.connectors.json_lines import json_lines
from onefold.connectors.records import Body
from onefold.connectors.rows_on_disk import AT_ONCE, RowsOnDisk
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response
from onefold.http.spool import Spool

ACCEPT = {
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
}
_CUT = "the answer is cut off: its last line has no end"


@dataclass(frozen=True, slots=True)
class Written:
    """The records of an answer as lines of JSON, how many there are, and what stands beside them (of XML)."""

    lines: Spool
    count: int
    beside: dict[str, str]


class Formatted:
    """Reads the answers of one stream."""

    def __init__(self, named: str, system: System, stream: Stream, form: Format) -> None:
        self._named = named
        self._stream = stream
        self._form = form
        self._unpacked = system.limits.unpacked_mib << 20
        self.on_disk = RowsOnDisk(named, stream)

    @property
    def accept(self) -> str:
        """What is asked for as the answer's type."""
        return f"{ACCEPT[self._form.kind]}, */*;q=0.5"

    def __call__(self, response: Response) -> Body:
        """All records of an answer that is one of many pages."""
        with closing(self.written(response).lines) as lines:
            return Body(self.on_disk.records([line[:-1] for line in lines]), None)

    def written(self, response: Response) -> Written:
        """Raises BadBody when the answer is cut off or spoiled, Fatal when it is not what the YAML says."""
        lines, beside, count = Spool(), dict[str, str](), 0
        form = self._in_charset_of(response)
        try:
            _require_no_page(response.file, form)
            for _, content in unpack(response.file, form.kind, self._unpacked):
                rows = self._lines(content, form, beside)
                while some := list(islice(rows, AT_ONCE)):
                    lines.write(b"".join(some))
                    count += len(some)
        except Empty as error:
            if not self._stream.answer.optional:
                lines.close()
                raise self._unlike(f"{error} (if there may be none, say `answer: {{optional: true}}`)") from error
        except Damaged as error:
            lines.close()
            raise BadBody(str(error)) from error
        except Unfit as error:
            lines.close()
            raise self._unlike(str(error)) from error
        return Written(lines.rewound(), count, beside)

    def _in_charset_of(self, response: Response) -> Format:
        """The format in the character set that the answer's header names, where the YAML says none."""
        charset = None if "encoding" in self._form.model_fields_set else charset_of(response)
        return self._form.model_copy(update={"encoding": [charset, "utf-8"]}) if charset else self._form

    def _lines(self, content: BinaryIO, form: Format, beside: dict[str, str]) -> Iterator[bytes]:
        """What only one kind needs is imported when an answer is one: openpyxl takes a fifth of a second."""
        name = "the answer"
        match form.kind:
            case "ndjson":
                return (line + b"\n" for line in ndjson_lines(content, form))
            case "csv":
                return map(_json_line, _whole_lines(content, csv_rows(content, name, form, self._stream, _broken)))
            case "xlsx":
                from onefold.connectors.files.xlsx_file import xlsx_rows

                return map(_json_line, xlsx_rows(content, name, form, self._stream))
            case "xml":
                from onefold.connectors.files.xml_file import xml_rows

                return map(_json_line, xml_rows(content, name, form, self._stream, beside))

    def _unlike(self, what: str) -> Fatal:
        return Fatal(
            f"{self._named}: the answer is not as `format` in the YAML says: {what}. Nothing was published. Compare it "
            "with an answer of the system."
        )


def _json_line(row: Row) -> bytes:
    """The row with which of its values could not be read, each with the reason."""
    return json_lines([{**row.values, **({"_file": {"unread": dict(row.unread)}} if row.unread else {})}])


def _broken(line: Line) -> Row:
    """A line that is no row, for the quarantine: it has no key."""
    return Row({"_line": line.number, "_fault": line.fault, "_cells": [str(cell) for cell in line.cells]}, {})


def _whole_lines(content: BinaryIO, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows; raises Damaged where the last one is broken and its line has no end."""
    last = None
    for row in rows:
        last = row
        yield row
    content.seek(-1, SEEK_END)
    if last and "_fault" in last.values and content.read(1) not in b"\r\n":
        raise Damaged(_CUT)


def _require_no_page(file: BinaryIO, form: Format) -> None:
    """Raises Damaged for a web page in place of a table or of lines, as proxies and sign-in pages give with 200."""
    file.seek(0)
    start = file.read(100).removeprefix(codecs.BOM_UTF8).lstrip()
    file.seek(0)
    if form.kind in ("csv", "ndjson") and start.startswith(b"<"):
        raise Damaged("a web page or XML in its place")
    if not start and form.kind != "csv":
        raise Empty("it is empty")
