"""Sources that are files: each is read once, whole or not at all, and again when it has been changed.

What has been read is known by its name, its tag and the hash of its content: that is the state (page.Part) which is
published together with the file's records. A file under another name is read; records are keyed, so the same content
gives no new versions. A file that cannot be used is refused with the reason, and the others are loaded.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import BinaryIO

import msgspec

from onefold.catalog.file_format import Format
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.files.csv_file import csv_rows
from onefold.connectors.files.ndjson_file import ndjson_rows
from onefold.connectors.files.packed import unpack
from onefold.connectors.files.store import Found, Store, Taken, Unreadable, matching, shown_file
from onefold.connectors.files.table import Row
from onefold.connectors.files.unfit import Unfit
from onefold.connectors.json_lines import json_lines
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.connectors.window import Window
from onefold.errors import OnefoldError
from onefold.http.attempt import BadBody
from onefold.http.endpoint import Endpoint
from onefold.http.spool import Spool

log = logging.getLogger(__name__)
PAGE = 2000
PARTS = 500
"""How many files at most end on one page."""
UNREAD = "unread"
_UNFINISHED = re.compile(
    r"(?:^|/)(?:\.|~\$)[^/]*$|(?:\.tmp|\.temp|\.part|\.partial|\.filepart|\.crdownload|\.swp|~)$", re.IGNORECASE
)
"""Names of files that somebody is still writing, or only has open: hidden ones, Excel's locks, transfers under way."""


class Read(msgspec.Struct, frozen=True):
    """What is kept of a file: its tag and hash, and either how many records it gave or why it was refused, under
    which description of the stream (`by`)."""

    tag: str
    hash: str
    rows: int = 0
    refused: str | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a load has come: the file, and how many of its records; None: all of them. `since` is when the load
    began to read it."""

    modified: str
    name: str
    tag: str
    rows: int | None
    since: str | None = None

    def text(self) -> str:
        return msgspec.json.encode([self.modified, self.name, self.tag, self.rows, self.since]).decode()

    def records_taken(self, modified: str, file: Found) -> int | None:
        """How many of the file's records a load that came so far has; None: all of them."""
        if (modified, file.name) < (self.modified, self.name):
            return None
        return self.rows if (self.name, self.tag) == (file.name, file.tag) else 0


def files_reader(system: System, stream_name: str, endpoint: Endpoint, store: Store) -> PageReader:
    """Reads the files of `request.path` in the order of their change; a page's token is the file and the record in it.

    A stream of one file, whose path is a name and no pattern, is that file: what its newer version lacks is deleted.
    A load that goes on from earlier ones reads the files that are new or have been changed, whenever they say that was;
    one that names its window reads every file that was changed in it. The connection's extra settled_seconds overrides
    arrival.settled for a test system.
    """
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    head = Head(named, stream)
    limits = system.limits
    described = f"{stream.model_dump_json()} {limits.file_mib} {limits.unpacked_mib}"
    by = hashlib.sha256(described.encode()).hexdigest()[:16]
    given = (endpoint.extra or {}).get("settled_seconds")
    settled = timedelta(seconds=float(given)) if given else stream.arrival.settled
    alone = is_one_file(stream)

    def read(window: Window, token: str | None) -> Iterator[Page]:
        reached = Place(*msgspec.json.decode(token)) if token else None
        held = {name: msgspec.json.decode(state, type=Read) for name, state in window.checkpoints.items()}
        waiting = due(store.found(stream.request.path), stream, window, held, by, datetime.now(UTC) - settled)
        page, ended, at = list[Record](), list[Partition](), datetime.now(UTC)
        whole: datetime | None = None
        for file in waiting:
            modified = f"{file.modified:%Y-%m-%dT%H:%M:%S.%fZ}"
            shown = shown_file(stream.request.path, file)
            skipped = reached.records_taken(modified, file) if reached else 0
            if skipped is None:
                continue
            taken, fault = _taken(store, file, limits.file_mib, by)
            if taken is None and fault is None:
                log.warning("%s: %s was changed while it was read; it is left for the next load", named, shown)
                continue
            since = reached.since if reached and skipped else at.isoformat()
            with closing(taken or Spool()), closing(Spool()) as lines:
                before = held.get(file.name)
                if taken is None:
                    result = fault or Read("", "")
                elif before and before.hash == taken.hash and before.refused is None:
                    result = Read(file.tag, taken.hash, before.rows)
                else:
                    result = written(file, taken, stream, by, lines, limits.unpacked_mib << 20)
                    if alone and since and result.refused is None:
                        whole = datetime.fromisoformat(since)
                for number, line in enumerate(lines.rewound(), start=1):
                    if number <= skipped:
                        continue
                    if len(page) >= PAGE:
                        place = Place(modified, file.name, file.tag, number - 1, since)
                        yield Page(page, at, place.text(), ended=tuple(ended))
                        page, ended, at = [], [], datetime.now(UTC)
                    page.append(head.record(line[:-1]))
            if result.refused:
                log.warning("%s: %s is refused: %s", named, shown, result.refused)
            ended.append(Partition(file.name, msgspec.json.encode(result).decode(), refused=result.refused))
            if len(ended) >= PARTS:
                yield Page(page, at, Place(modified, file.name, file.tag, None).text(), ended=tuple(ended))
                page, ended, at = [], [], datetime.now(UTC)
        # The stream itself, so that a folder which is still empty is known to have been read.
        ended.append(Partition("", msgspec.json.encode(Read("", "")).decode(), whole))
        yield Page(page, at, None, ended=tuple(ended))

    return read


def is_one_file(stream: Stream) -> bool:
    """Whether the stream is one file, written anew whenever something changes."""
    return not re.search(r"[*?]", stream.request.path) and not stream.retention_limited


def due(
    found: Iterator[Found], stream: Stream, window: Window, held: Mapping[str, Read], by: str, settled_at: datetime
) -> list[Found]:
    """The files to read, in the order of their change: whole ones only, that are not known as they are.

    A file that was refused is read again when it has been changed, or what the catalogue says of the stream (`by`).
    """
    files = {file.name: file for file in found}
    marker, waiting = stream.arrival.marker, []
    for name, file in files.items():
        if not matching(stream.request.path, name) or _UNFINISHED.search(name):
            continue
        whole = f"{name}{marker}" in files if marker else file.modified <= settled_at
        if not whole or file.modified >= window.end:
            continue
        before = held.get(name)
        known = before is not None and before.tag == file.tag and (before.refused is None or before.by == by)
        if not known and (held or file.modified >= window.start):
            waiting.append(file)
    return sorted(waiting, key=lambda file: (file.modified, file.name))


def _taken(store: Store, file: Found, most: int, by: str) -> tuple[Taken | None, Read | None]:
    """The file, or why it is not to be had; neither when it is another one by now. It may have so many MiB."""
    fault = file.fault
    if not fault and file.size > most << 20:
        fault = f"it has {file.size >> 20} MiB, more than limits.file_mib ({most}): split it, or raise the limit"
    if fault:
        return None, Read(file.tag, "", refused=fault, by=by)
    try:
        return store.take(file), None
    except Unreadable as error:  # no tag: so it is not known as it is, and the next load tries again
        return None, Read("", "", refused=str(error), by=by)


def written(file: Found, taken: Taken, stream: Stream, by: str, lines: Spool, unpacked: int) -> Read:
    """Write the file's records as lines of JSON; none of them when there is anything wrong with the file.

    `unpacked` is how many bytes it may have unpacked.
    """
    form = stream.format
    place: dict[str, object] = {"name": file.name, "modified": f"{file.modified:%Y-%m-%dT%H:%M:%S.%fZ}"}
    count, refused = 0, None
    try:
        if form is None:
            raise Unfit("the catalogue does not say its format")
        for member, content in unpack(taken.content, form.kind, unpacked):
            where = {**place, "member": member} if member else place
            rows = enumerate(_rows(content, member or file.name, form, stream), start=count + 1)
            while some := [_record(row, {**where, "row": number}) for number, row in islice(rows, 100)]:
                lines.write(json_lines(some))
                count += len(some)
    except (Unfit, BadBody) as error:
        refused = str(error)
    except OnefoldError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a file comes up with, it is that file's: the others are loaded
        refused = (
            f"it cannot be read ({type(error).__name__}): open it with the program that it is for, and save it anew"
        )
    if refused is None:
        return Read(file.tag, taken.hash, count)
    lines.seek(0)
    lines.truncate()
    return Read(file.tag, taken.hash, refused=refused, by=by)


def _record(row: Row, origin: dict[str, object]) -> dict[str, object]:
    """The row with where it came from, and which of its values could not be read, each with the reason."""
    return {**row.values, "_file": {**origin, **({UNREAD: row.unread} if row.unread else {})}}


def _rows(content: BinaryIO, name: str, form: Format, stream: Stream) -> Iterator[Row]:
    """The rows of a file. What only one kind of file needs is imported when there is one: openpyxl takes a fifth of a
    second."""
    match form.kind:
        case "csv":
            return csv_rows(content, name, form, stream)
        case "ndjson":
            return ndjson_rows(content, name, form, stream)
        case "xlsx":
            from onefold.connectors.files.xlsx_file import xlsx_rows

            return xlsx_rows(content, name, form, stream)
        case "xml":
            from onefold.connectors.files.xml_file import xml_rows

            return xml_rows(content, name, form, stream)
