"""Records that a source gives only within others: an order's items, each with what it needs of its order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import msgspec

from onefold.catalog.nested import Nested
from onefold.catalog.stream import Stream
from onefold.connectors.json_shape import Path
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.records import Body, Head, dotted
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal
from onefold.http.attempt import Response

log = logging.getLogger(__name__)

Object = dict[str, msgspec.Raw]
_object = msgspec.json.Decoder(Object)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_NULL = b"null"
_SCALAR = {bytes([each]) for each in b'"-0123456789'}
SEVERAL = 20
"""Of fewer records each may be without any within it by chance."""


class NestedRecords:
    """Reads a page as `outer` does and gives the records within its records: none where their list is null or absent,
    one where an object stands in its place. What a record says itself goes before what is carried into it. One that
    cannot be taken apart stays whole: without its key, it goes to quarantine, and no other does."""

    def __init__(self, named: str, stream: Stream, nested: Nested, outer: Callable[[Response], Body]) -> None:
        self._outer = outer
        self._at = dotted(nested.path)
        self._carry = {name: dotted(path) for name, path in nested.carried.items()}
        self._head = Head(named, stream)
        self._merge = Merging(named, "nested.carry")
        first = stream.fields[stream.primary_key[0]].path or stream.primary_key[0]
        self._group = first if stream.deletes.complete_group and first in self._carry else None
        self._emptied: list[str] = []
        self._named = named
        self._listed = 0
        self._met = False

    def __call__(self, response: Response) -> Body:
        body = self._outer(response)
        self._listed += len(body.records)
        return Body([record for listed in body.records for record in self._within(listed)], body.next, body.records)

    def somewhere(self, read: PageReader) -> PageReader:
        """As `read`, which reads pages with this. Raises Fatal where all that the source has, and more than a few, was
        listed and the list was nowhere: then it is at another place."""

        def read_all(window: Window, token: str | None) -> Iterator[Page]:
            self._listed, self._met = 0, False
            for page in read(window, token):
                if page.token is None and window.start <= BEGINNING and self._listed >= SEVERAL and not self._met:
                    raise Fatal(
                        f"{self._named}: none of the {self._listed} records that are listed has {'.'.join(self._at)}, "
                        "where nested.path says that the records are. Compare it with an answer of the system."
                    )
                yield page

        return read_all

    def emptied(self, read: PageReader) -> PageReader:
        """As `read`, which reads pages with this. Of a group that is always complete and now has no record at all, what
        there was is gone: nothing else says so."""

        def read_all(window: Window, token: str | None) -> Iterator[Page]:
            self._emptied.clear()
            for page in read(window, token):
                gone = tuple(Partition(name, None, page.extracted_at) for name in dict.fromkeys(self._emptied))
                self._emptied.clear()
                yield replace(page, ended=(*page.ended, *gone)) if gone else page

        return read_all

    def _within(self, listed: Record) -> Iterator[Record]:
        try:
            parent = _object.decode(listed.payload)
            items = list(self._elements(msgspec.Raw(listed.payload), self._at))
            carried = _carried(parent, self._carry)
        except (msgspec.DecodeError, RecursionError):
            yield Record(None, None, False, listed.payload)
            return
        group = carried.get(self._group) if self._group and not items else None
        if group is not None and bytes(group)[:1] in _SCALAR:
            self._emptied.append(str(msgspec.json.decode(group)))
        for item in items:
            yield self._record(carried, item)

    def _elements(self, value: msgspec.Raw, path: Path) -> Iterator[msgspec.Raw]:
        """What stands in the list at the path, also where there are lists on the way; nothing where something on the
        way is null or absent. Raises msgspec.ValidationError where one of these is a text or a number."""
        raw = bytes(value)
        self._met = self._met or not path
        if raw == _NULL:
            return
        if raw.startswith(b"["):
            for element in _list.decode(raw):
                if path:
                    yield from self._elements(element, path)
                else:
                    yield element
        elif path:
            content = _object.decode(raw)
            if path[0] in content:
                yield from self._elements(content[path[0]], path[1:])
        else:
            _object.decode(raw)
            yield value

    def _record(self, carried: Object, item: msgspec.Raw) -> Record:
        try:
            payload = self._merge(carried, _object.decode(item))
        except (msgspec.DecodeError, RecursionError):
            return Record(None, None, False, bytes(item))
        return self._head.record(payload)


class Merging:
    """Puts fields into records; a record's own one goes before. Where the two differ the log says so, once: neither is
    wrong, but one of them is not seen. `setting` is where the YAML names the fields."""

    def __init__(self, named: str, setting: str) -> None:
        self._named = named
        self._setting = setting
        self._told: set[str] = set()

    def __call__(self, carried: Object, item: Object) -> bytes:
        """The record's JSON with both. Raises msgspec.DecodeError for a name that is half a surrogate pair."""
        for name in carried.keys() & item.keys() - self._told:
            if bytes(carried[name]).strip(b'"') != bytes(item[name]).strip(b'"'):
                self._told.add(name)
                log.warning(
                    "%s: its records have a %s of their own, which is not the one that they would get; they keep their "
                    "own. Carry the other under another name (%s: {parent_%s: …})",
                    *(self._named, name, self._setting, name),
                )
        return msgspec.json.encode(carried | item)


def _carried(parent: Object, carry: Mapping[str, Path]) -> Object:
    """The values at the paths; without those that are not there."""
    found: Object = {}
    for name, path in carry.items():
        value = _value(parent, path)
        if value is not None:
            found[name] = value
    return found


def _value(content: Object, path: Path) -> msgspec.Raw | None:
    for name in path[:-1]:
        value = content.get(name)
        if value is None or not bytes(value).startswith(b"{"):
            return None
        content = _object.decode(value)
    return content.get(path[-1])
