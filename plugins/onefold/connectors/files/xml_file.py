"""XML files: every element of the declared name is a record; no DTD, no entities, no network (safe_xml)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from onefold.catalog.file_format import Format
from onefold.catalog.stream import Stream
from onefold.connectors import safe_xml
from onefold.connectors.files.table import Row
from onefold.connectors.files.unfit import Empty, Unfit
from onefold.foreign_text import shown_name


def xml_rows(
    file: BinaryIO, name: str, form: Format, stream: Stream, beside: dict[str, str] | None = None
) -> Iterator[Row]:
    """The records of the file, without namespaces; `beside` takes what stands beside them.

    Raises Unfit when it holds other things than declared, or not as many as it says itself; BadBody when it is no sound
    XML."""
    never_met = {
        field.path or name: tuple((field.path or name).split("."))
        for name, field in stream.fields.items()
        if field.required and not (field.path or name).startswith(("_file.", "$"))
    }
    count = 0
    for row in safe_xml.rows(file, form.record or "", beside):
        count += 1
        if never_met:
            never_met = {path: place for path, place in never_met.items() if not _has(row, place)}
        yield Row(row, {})
    if not count:
        raise Empty(f"it holds no element {form.record}")
    if never_met:
        raise Unfit(f"none of its {count} {form.record} has {', '.join(never_met)[:120]}")
    if form.count:
        told = [row.get(form.count) for row in safe_xml.rows(file, form.count)]
        if told != [str(count)]:
            said = ", ".join(str(each) for each in told) or "nothing"
            number = said if re.fullmatch("[0-9]{1,9}", said) else shown_name(said)
            raise Unfit(f"it says of itself ({form.count}) that it holds {number} records, and holds {count}")


def _has(row: object, place: tuple[str, ...]) -> bool:
    for name in place:
        if not isinstance(row, dict) or name not in row:
            return False
        row = row[name]
    return True
