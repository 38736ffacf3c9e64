"""Streams that SOAP calls answer.

An answer is whole or it is nothing: its rows are written down, unseen, while it is read, and given as pages when its
end has been reached. So its size costs disk, not memory, and a broken one leads to another call, never to half a load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from onefold.catalog.system import System
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.rows_on_disk import AGAIN, RowsOnDisk
from onefold.connectors.safe_xml import Row
from onefold.connectors.soap.calls import calls_reader
from onefold.connectors.soap.service import Arguments, SoapService
from onefold.connectors.window import Window
from onefold.connectors.window_text import filled, placeholders
from onefold.errors import Fatal
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.spool import Spool


def soap_reader(system: System, stream_name: str, endpoint: Endpoint, http: Client) -> PageReader:
    """Reads a stream by calls of `request.operation` with `request.params`, whose names may be dotted; `records` names
    the row's element. How calls go on says `next`; an answer that says that there is more than is read fails the load.

    Raises Fatal for a look-up stream: how a service is asked one value at a time is its own module's to say.
    """
    stream = system.streams[stream_name]
    if stream.lookup:
        raise Fatal(
            f"{system.system}.{stream_name}: a SOAP stream with lookup needs a module in systems/ that asks its "
            "questions: name it under `python` in the system's YAML."
        )

    named, service = f"{system.system}.{stream_name}", SoapService(system, endpoint, http)

    def arguments(window: Window) -> dict[str, str]:
        values = placeholders(window, stream)
        return {name: filled(value, values) for name, value in stream.request.params.items()}

    return calls_reader(named, stream, service, arguments)


def one_call(
    system: System,
    stream_name: str,
    service: SoapService,
    arguments: Callable[[Window], Arguments],
    rows: Callable[[BinaryIO], Iterator[Row]],
    *,
    whole: bool = False,
) -> PageReader:
    """Reads a stream of one call, for a system's own module: what is asked for a window, and how the rows are taken out
    of the answer's envelope.

    `whole`: the answer holds all that there is, so that what it lacks is gone.
    """
    stream = system.streams[stream_name]
    on_disk = RowsOnDisk(f"{system.system}.{stream_name}", stream)

    def written_down(envelope: BinaryIO) -> Spool:
        return on_disk.written_down(rows(envelope))

    def read(window: Window, token: str | None) -> Iterator[Page]:
        at = datetime.now(UTC)
        ended = (Partition("", snapshot_since=at),) if whole else ()
        request = stream.request
        with service.call(request.operation or "", arguments(window), written_down, request.headers) as lines:
            for records, is_last in on_disk.pages(lines):
                yield Page(records, at, None if is_last else AGAIN, ended=ended if is_last else ())

    return read
