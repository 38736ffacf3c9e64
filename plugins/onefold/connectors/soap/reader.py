"""Streams that one SOAP call answers.

An answer is whole or it is nothing: its rows are written down, unseen, while it is read, and given as pages when its
end has been reached. So its size costs disk, not memory, and a broken one leads to another call, never to half a load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from types import GenericAlias
from typing import BinaryIO

import msgspec

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.completeness import Completeness
from onefold.connectors.json_lines import json_lines
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.connectors.safe_xml import Row
from onefold.connectors.soap.service import Arguments, SoapService
from onefold.connectors.window import Window
from onefold.connectors.window_text import filled, placeholders
from onefold.errors import Fatal
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.spool import Spool

PAGE = 2000
AGAIN = "again"
"""The token between two pages of one answer, which cannot be asked for from its middle: after a crash the call is made
again and read from the start (the load takes a record once)."""


def soap_reader(system: System, stream_name: str, endpoint: Endpoint, http: Client) -> PageReader:
    """Reads a stream of one call: `request.operation` with `request.params`; `records` names the row's element. An
    answer that says that there is more fails the load.

    Raises Fatal for a look-up stream: how a service is asked one value at a time is its own module's to say.
    """
    stream = system.streams[stream_name]
    if stream.lookup:
        raise Fatal(
            f"{system.system}.{stream_name}: a SOAP stream with lookup needs a module in systems/ that asks its "
            "questions: name it under `python` in the system's YAML."
        )

    def arguments(window: Window) -> Arguments:
        values = placeholders(window, stream)
        return {name: filled(value, values) for name, value in stream.request.params.items()}

    def rows(envelope: BinaryIO) -> Iterator[Row]:
        named, remedy = f"{system.system}.{stream_name}", "One call reads it: ask for all of it in request.params"
        whole = Completeness(named, stream.next, counts=True, remedy=remedy)
        whole.start(at_the_beginning=True)
        beside: dict[str, str] = {}
        read = 0
        for row in safe_xml.rows(envelope, stream.records, beside):
            read += 1
            yield row
        whole.note(beside)
        whole.count(read)
        whole.require_end()

    return one_call(system, stream_name, SoapService(system, endpoint, http), arguments, rows)


def one_call(
    system: System,
    stream_name: str,
    service: SoapService,
    arguments: Callable[[Window], Arguments],
    rows: Callable[[BinaryIO], Iterator[Row]],
    *,
    whole: bool = False,
) -> PageReader:
    """Reads a stream of one call: what is asked for a window, and how the rows are taken out of the answer's envelope.

    `whole`: the answer holds all that there is, so that what it lacks is gone.
    """
    stream = system.streams[stream_name]
    head = Head(f"{system.system}.{stream_name}", stream)
    heads = msgspec.json.Decoder(GenericAlias(list, (head.shape,)))

    def written_down(envelope: BinaryIO) -> Spool:
        lines, found = Spool(), rows(envelope)
        while some := list(islice(found, 100)):
            lines.write(json_lines(some))
        return lines.rewound()

    def records(payloads: list[bytes]) -> list[Record]:
        try:
            found = heads.decode(b"[" + b",".join(payloads) + b"]")
        except (msgspec.DecodeError, RecursionError):  # some head is no scalar: only that record must suffer
            return [head.record(payload) for payload in payloads]
        return list(map(head.of, found, payloads))

    def read(window: Window, token: str | None) -> Iterator[Page]:
        at = datetime.now(UTC)
        ended = (Partition("", snapshot_since=at),) if whole else ()
        request = stream.request
        with service.call(request.operation or "", arguments(window), written_down, request.headers) as lines:
            payloads = (line[:-1] for line in lines)
            following: list[bytes] | None = list(islice(payloads, PAGE))
            while following is not None:
                page, following = following, list(islice(payloads, PAGE)) or None
                yield Page(records(page), at, AGAIN if following else None, ended=() if following else ended)

    return read
