"""Salesforce: small windows by query, large ones by a Bulk API 2.0 job, and one payload for a record whichever way.

A query answers JSON, a job CSV, in which all is text and nothing differs from nothing: numbers may come as 1.6E13,
times end in Z instead of +0000, and a parent's field is a column `Order.OrderNumber`. A record's versions are told
apart by its bytes, so both ways end in `Payload`, which writes what they have in common.

Source: Salesforce, "REST API Developer Guide" (Query) and "Bulk API 2.0 and Bulk API Developer Guide" (Query Jobs).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import msgspec

from onefold.catalog.request import Bulk
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.capabilities import Capabilities, Counting
from onefold.connectors.count_peek import CountPeek
from onefold.connectors.page import Page, PageReader
from onefold.connectors.peek import Peek
from onefold.connectors.record import Record
from onefold.connectors.records import Head, sound_json
from onefold.connectors.rest.connector import RestConnector
from onefold.connectors.rest.reader import rest_reader
from onefold.connectors.window import BEGINNING, Window
from onefold.connectors.window_text import filled, placeholders
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.systems.salesforce.job import QUERY, job_reader, unordered

Value = str | int | float | bool | Decimal | None
Nest = dict[str, "Value | Nest | list[object]"]

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_DIGITS = 40
_BOOLEANS = {"true": True, "false": False}
_json = msgspec.json.Decoder(dict[str, object], float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


class _Counted(msgspec.Struct):
    totalSize: int


def salesforce_reader(system: System, stream_name: str, endpoint: Endpoint, http: Client) -> PageReader:
    """Reads a stream by its query. A page's token is the address of the next batch, of a query or of a job's result."""
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    bulk = stream.request.bulk
    head = Head(named, stream)
    payload = Payload(stream)
    by_query = rest_reader(system, stream_name, http)
    by_job = job_reader(named, stream, bulk, http, lambda row: head.record(payload.of_text(row))) if bulk else by_query

    def read(window: Window, token: str | None) -> Iterator[Page]:
        if bulk and (token.startswith(bulk.path) if token else is_large(window, bulk, lambda: count(window))):
            yield from by_job(window, token)
            return
        for page in by_query(window, token):
            yield replace(page, records=[_alike(record, head, payload) for record in page.records])

    def count(window: Window) -> int:
        return _counted(stream, window, http)

    return read


def _counted(stream: Stream, window: Window, http: Client) -> int:
    values = placeholders(window, stream)
    soql = re.sub(r"^SELECT\s.*?\sFROM\s", "SELECT COUNT() FROM ", unordered(stream.request.params[QUERY]))
    return http.send("GET", filled(stream.request.path, values), params={QUERY: filled(soql, values)}, parse=_count)


def is_large(window: Window, bulk: Bulk, count: Callable[[], int]) -> bool:
    """Whether the window is asked for by a job, which takes a while to start, but then nothing is faster.

    What begins at the beginning is: counting everything may take longer than Salesforce allows. Any other long window
    is when it holds much; it may be long only because nothing has changed for months.
    """
    if window.start == BEGINNING:
        return True
    return window.end - window.start > bulk.window and count() > bulk.records


def _count(response: Response) -> int:
    try:
        return msgspec.json.decode(sound_json(response), type=_Counted).totalSize
    except msgspec.ValidationError as error:
        raise BadBody("an answer that does not tell a number of records") from error


def _alike(record: Record, head: Head, payload: Payload) -> Record:
    """The record as a job would have given it; as it is when it cannot be read (it goes to quarantine)."""
    try:
        return head.record(payload.of_json(record.payload))
    except (msgspec.DecodeError, ArithmeticError, AttributeError, TypeError, ValueError, RecursionError):
        return record


class Payload:
    r"""Writes a record in one form: declared fields first, in their order; no `attributes`; nothing is null, and left
    out where the field is optional; numbers without needless digits; times in UTC with Z; line ends as \n."""

    def __init__(self, stream: Stream) -> None:
        self._fields = {field.path or name: field for name, field in stream.fields.items()}

    def of_json(self, body: bytes) -> bytes:
        """Of a record of a query's answer. Raises msgspec.DecodeError when it is not one."""
        return self._written(_flat(_json.decode(body)))

    def of_text(self, row: Mapping[str, str]) -> bytes:
        """Of a line of a job's result, by column."""
        return self._written({name: self._typed(name, text) for name, text in row.items()})

    def _typed(self, name: str, text: str) -> object:
        kind = self._fields[name].type if name in self._fields else "text"
        if kind == "boolean":
            return _BOOLEANS.get(text, text)
        if kind in ("integer", "numeric") and _NUMBER.fullmatch(text):
            return Decimal(text)
        return text

    def _written(self, found: Mapping[str, object]) -> bytes:
        content: dict[str, object] = {}
        for path, field in self._fields.items():
            present = path in found
            value = _common(found.get(path), field.type == "timestamp")
            if value is None and (not field.required or not (present or _is_below_nothing(path, found))):
                continue
            _place(content, path, value)
        for path in sorted(found.keys() - self._fields.keys()):
            if not any(field.startswith(f"{path}.") for field in self._fields):
                _place(content, path, _common(found[path], timestamp=False))
        return _encoder.encode(content)


def _flat(record: Mapping[str, object], above: str = "") -> dict[str, object]:
    """A record's values by dotted path, without the `attributes` that a job does not give."""
    flat: dict[str, object] = {}
    for name, value in record.items():
        if name == "attributes":
            continue
        if isinstance(value, dict) and "attributes" in value:  # a parent; any other object is a value
            flat |= _flat(value, f"{above}{name}.")
        else:
            flat[f"{above}{name}"] = value
    return flat


def _is_below_nothing(path: str, found: Mapping[str, object]) -> bool:
    """Whether a parent that the path leads through is there and is null: then all its fields are."""
    steps = path.split(".")
    return any(found.get(".".join(steps[:count]), "") is None for count in range(1, len(steps)))


def _common(value: object, timestamp: bool) -> object:
    if isinstance(value, str):
        text = value.replace("\r\n", "\n")
        return (re.sub(r"\+00:?00$", "Z", text) if timestamp else text) or None
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > _DIGITS:
            return str(value)
        return int(value) if value == value.to_integral_value() else value.normalize()
    return value


def _place(content: dict[str, object], path: str, value: object) -> None:
    *above, name = path.split(".")
    for step in above:
        inner = content.setdefault(step, {})
        content = inner if isinstance(inner, dict) else {}
    content[name] = value


class SalesforceConnector(RestConnector):
    """Reads by query or by job, and counts by query."""

    capabilities = Capabilities(windows="always", counting=Counting(12, timedelta(milliseconds=1)), peeks=True)

    @classmethod
    def open_peek(cls, system: System, endpoint: Endpoint) -> Peek:
        return CountPeek(cls, system, endpoint)

    def page_reader(self) -> PageReader:
        source = self.source
        return salesforce_reader(source.system, source.stream_name, source.endpoint, self.transport)

    def count(self, windows: Sequence[Window]) -> list[int]:
        """By one SOQL query a window."""
        return [_counted(self.source.stream, window, self.transport) for window in windows]


CONNECTOR = SalesforceConnector
