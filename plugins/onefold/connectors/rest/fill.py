"""Puts a parent's values into the request for its records, and into the records."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import quote

import msgspec

from onefold.catalog.request import PLACEHOLDERS, Request
from onefold.catalog.stream import Stream
from onefold.connectors.answer_shape import with_field
from onefold.connectors.nested import Merging
from onefold.connectors.record import Record
from onefold.connectors.records import Body, Head
from onefold.connectors.rest.request_body import with_raws
from onefold.http.attempt import Response

Values = Mapping[str, msgspec.Raw]
"""A parent's values by their names, each as JSON: a text or a number."""

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OURS = re.compile("|".join(re.escape(f"{{{name}}}") for name in sorted(PLACEHOLDERS)))
_DOTS = re.compile(r"\.*")


class UnfitValue(Exception):
    """A value cannot stand where the request has it. Its text says why, without the value."""


def text_of(value: msgspec.Raw) -> str:
    """A text as it is, a number or truth as JSON writes it."""
    raw = bytes(value)
    return msgspec.json.decode(raw, type=str) if raw.startswith(b'"') else raw.decode()


def with_values(request: Request, values: Values) -> Request:
    """The request with the values at their placeholders; the window's stay. Raises UnfitValue."""
    texts = {name: text_of(value) for name, value in values.items()}
    for name, text in texts.items():
        if _OURS.search(text):
            raise UnfitValue(f"its {name} looks like a placeholder of Onefold")
    body: object = request.body
    if isinstance(request.body, dict):
        body = {name: with_raws(value, values, texts) for name, value in request.body.items()}
    elif request.body:
        is_json = request.body.lstrip().startswith(("{", "["))
        body = _filled(request.body, {name: _in_json(text) if is_json else text for name, text in texts.items()})
    return request.model_copy(
        update={
            "path": _filled(request.path, {name: _in_path(name, text) for name, text in texts.items()}),
            "params": {name: _filled(value, texts) for name, value in request.params.items()},
            "headers": {name: _in_header(_filled(value, texts)) for name, value in request.headers.items()},
            "body": body,
            "form": {name: _filled(value, texts) for name, value in request.form.items()},
        }
    )


class Into:
    """Puts a parent's values into its records, below their own. Where a record's own says something else than the value
    by which it belongs to its parent, the record goes to quarantine: it is not told whose it is."""

    def __init__(self, named: str, stream: Stream) -> None:
        self._head = Head(named, stream)
        self._merge = Merging(named, "parent.fill")
        first = stream.primary_key[0]
        self._belongs = stream.fields[first].path or first

    def split(self, read: Callable[[Response], Body], values: Values) -> Callable[[Response], Body]:
        """Reads a page as `read` does."""

        def read_body(response: Response) -> Body:
            body = read(response)
            return replace(body, records=self.records(body.records, values))

        return read_body

    def records(self, records: list[Record], values: Values) -> list[Record]:
        """The records with the values; as they are where there are none."""
        return [self._record(record, values) for record in records] if values else records

    def _record(self, record: Record, values: Values) -> Record:
        try:
            own = _object.decode(record.payload)
        except msgspec.ValidationError:
            return Record(None, None, False, record.payload)
        except (msgspec.DecodeError, RecursionError):
            return self._odd(record, values)
        payload = self._merge(dict(values), own)
        belongs = own.get(self._belongs)
        if belongs is not None and not _same(belongs, values[self._belongs]):
            return Record(None, None, False, payload)
        return self._head.record(payload)

    def _odd(self, record: Record, values: Values) -> Record:
        """A record that holds NaN or the like: the values are put before its own text."""
        payload = record.payload
        for name, value in values.items():
            if payload.startswith(b"{"):
                payload = with_field(payload, name, value)
        return self._head.record(payload)


def _same(one: msgspec.Raw, other: msgspec.Raw) -> bool:
    """5 and "5" are one id."""
    return bytes(one).strip(b'"') == bytes(other).strip(b'"')


def _filled(template: str, texts: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: texts.get(found[1], found[0]), template)


def _in_path(name: str, text: str) -> str:
    if _DOTS.fullmatch(text):
        raise UnfitValue(f"its {name} is empty or but dots, and cannot stand in a path")
    return quote(text, safe="")


def _in_json(text: str) -> str:
    return msgspec.json.encode(text)[1:-1].decode()


def _in_header(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise UnfitValue("one of its values has characters that no header may have")
    return text
