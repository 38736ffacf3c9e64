"""Records that a source gives only within others: an order's items, each with what it needs of its order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from onefold.catalog.stream import Nested, Stream
from onefold.connectors.record import Record
from onefold.connectors.records import Body, Head, dotted
from onefold.http.attempt import Response

_Object = dict[str, msgspec.Raw]
_object = msgspec.json.Decoder(_Object)
_objects = msgspec.json.Decoder(list[_Object])


class NestedRecords:
    """Reads a page as `outer` does and gives the records within its records. What a record says itself goes before
    what is carried into it. One that cannot be taken apart stays whole: without its key, it goes to quarantine."""

    def __init__(self, named: str, stream: Stream, nested: Nested, outer: Callable[[Response], Body]) -> None:
        self._outer = outer
        self._at = dotted(nested.path)
        self._carry = nested.carry
        self._head = Head(named, stream)

    def __call__(self, response: Response) -> Body:
        body = self._outer(response)
        return Body([record for listed in body.records for record in self._within(listed)], body.next)

    def _within(self, listed: Record) -> Iterator[Record]:
        try:
            parent = _object.decode(listed.payload)
            found: _Object = parent
            for name in self._at[:-1]:
                found = _object.decode(found[name])
            items = _objects.decode(found[self._at[-1]])
        except (msgspec.DecodeError, KeyError, RecursionError):
            yield Record(None, None, False, listed.payload)
            return
        carried = {name: parent[name] for name in self._carry if name in parent}
        for item in items:
            yield self._head.record(msgspec.json.encode(carried | item))
