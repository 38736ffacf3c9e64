"""What is listed, made into records: connections in it become plain lists of their nodes, read to their end, and where
the stream's records are in a list within it, that list is taken out.

The same bytes come out however the nodes came: cursors and page infos are no content of a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from onefold.connectors.graphql.document import PARENT, Selection, Tree
from onefold.connectors.graphql.parts import OtherShape, a_list, an_object, elements, member, members
from onefold.connectors.json_shape import Path
from onefold.connectors.lenient_json import read_lenient
from onefold.connectors.record import Record
from onefold.connectors.records import RECORDS, Head
from onefold.errors import Fatal, Retriable

Further = Callable[[Path, str], bytes]
"""Gives the record once more with the nodes of a connection that follow a cursor."""


class Within:
    """Makes records of what is listed."""

    def __init__(self, named: str, selection: Selection, head: Head) -> None:
        self._named = named
        self._selection = selection
        self._head = head

    def records(self, listed: bytes, further: Further) -> list[Record]:
        """The records of one that is listed; one that cannot be taken apart (it is null, say) stays whole, for the
        quarantine. Raises what `further` raises."""
        if not self._selection.connections and not self._selection.nested:
            return [self._head.record(listed)]
        try:
            whole = self._whole(listed, self._selection.tree, (), listed, further)
            return list(self._nested(whole)) if self._selection.nested else [self._head.record(whole)]
        except (OtherShape, KeyError, RecursionError):
            return [self._head.record(listed)]

    def _whole(self, raw: bytes, tree: Tree, at: Path, listed: bytes, further: Further) -> bytes:
        """The record with its connections as lists, names in the order of the query."""
        if raw == b"null":
            return raw
        found = members(raw)
        made: dict[str, bytes] = {}
        for name in dict.fromkeys([*(name for name in tree if name in found), *found]):
            here = (*at, name)
            if here in self._selection.connections:
                made[name] = a_list(self._nodes(found[name], here, listed, further))
            elif any(path[: len(here)] == here for path in self._selection.connections):
                made[name] = self._whole(found[name], tree.get(name, {}), here, listed, further)
            else:
                made[name] = found[name]
        return an_object(made)

    def _nodes(self, raw: bytes, at: Path, listed: bytes, further: Further) -> Iterator[bytes]:
        """The nodes of a connection in a record, its further pages too."""
        count, seen = 0, set[str]()
        while raw != b"null":
            after = _next(raw)
            for node in _listed(raw, self._selection.style.at):
                count += 1
                yield node
            if after is None:
                return
            if after in seen or count > RECORDS:
                raise Fatal(
                    f"{self._named}: {'.'.join(at)} of a record does not end: after {count:,} nodes the source "
                    "says that there are more. Report it to the system's owner."
                )
            seen.add(after)
            again = further(at, after)
            if self._key(again) != self._key(listed):
                raise Retriable(
                    f"{self._named}: what is listed changed while {'.'.join(at)} of a record was read on. Run it "
                    "again; nothing was changed here."
                )
            raw = member(again, at)

    def _key(self, listed: bytes) -> list[object]:
        return [read_lenient(member(listed, path)) for path in self._selection.key]

    def _nested(self, whole: bytes) -> Iterator[Record]:
        """The records in the list within what is listed; none where it is null, and one where it is an object."""
        parent = _without(whole, self._selection.nested)
        for item in _items(member(whole, self._selection.nested)):
            try:
                made = an_object({PARENT: parent, **members(item)})
            except OtherShape:
                made = item
            yield self._head.record(made)


def _items(raw: bytes) -> list[bytes]:
    if raw == b"null":
        return []
    return [raw] if raw[:1] == b"{" else elements(raw)


def _without(raw: bytes, path: Path) -> bytes:
    """An object without the value at a path."""
    found = members(raw)
    name, *below = path
    if below and found.get(name, b"null") != b"null":
        found[name] = _without(found[name], tuple(below))
    elif not below:
        found.pop(name, None)
    return an_object(found)


def _next(raw: bytes) -> str | None:
    """The cursor after which a connection goes on; None where it does not."""
    info = members(raw).get("pageInfo", b"null")
    if read_lenient(member(info, ("hasNextPage",))) is not True:
        return None
    end = read_lenient(member(info, ("endCursor",)))
    return "" if end is None else str(end)


def _listed(raw: bytes, at: Path) -> Iterator[bytes]:
    first, *below = at
    for each in elements(members(raw)[first]):
        yield member(each, tuple(below))
