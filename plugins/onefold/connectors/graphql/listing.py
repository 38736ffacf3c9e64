"""One window of one listing, asked for page by page, to an end that is proven.

A page's token is what the next one is asked by: a cursor, a token, an offset or a number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from onefold.catalog.paging import COUNTED, NextPage
from onefold.catalog.request import Request
from onefold.connectors.completeness import Completeness, ReadInPart
from onefold.connectors.counted import Counting, Place
from onefold.connectors.graphql.answer import Raws
from onefold.connectors.graphql.arguments import given, placed, window_filled
from onefold.connectors.graphql.client import GraphQL, call_of
from onefold.connectors.graphql.document import EDGES, SIZE, Selection, around, document
from onefold.connectors.graphql.parts import OtherShape, elements, member, members
from onefold.connectors.json_shape import Path
from onefold.connectors.lenient_json import read_lenient
from onefold.connectors.records import dotted, key_names
from onefold.errors import Fatal, Retriable
from onefold.http.failure import Refused

_SIZES: tuple[Path, ...] = (("limit",), ("first",))
"""What the argument for a list's size is called, also where it stands among the stream's own arguments."""
_NULL = b"null"


@dataclass(frozen=True, slots=True)
class Asks:
    """What is the same for every window of a listing."""

    named: str
    request: Request
    following: NextPage
    at: Path
    selection: Selection

    @property
    def beside(self) -> tuple[Path, ...]:
        """What the document asks for beside the records: how the listing goes on, and how many there are."""
        following = self.following
        info: list[Path] = (
            [("pageInfo", "hasNextPage"), ("pageInfo", "endCursor")] if following.kind == "connection" else []
        )
        info += [(*EDGES[:-1], "cursor")] if self.has_cursors else []
        return (*info, *(dotted(path) for path in (following.path, following.total) if path))

    @property
    def has_cursors(self) -> bool:
        """Whether each record comes with the cursor that the one after it is asked for by; only where some record may
        have to be read on."""
        return self.following.kind == "connection" and self.at == EDGES and bool(self.selection.connections)


@dataclass(frozen=True, slots=True)
class Part:
    """A page: what it lists, the token that it was asked for by and that of the next page (None: there is none), the
    cursor of each record, where they have one, and a mark that tells pages apart."""

    listed: list[bytes]
    asked: str | None
    token: str | None
    cursors: list[str] | None
    mark: str


class Listing:
    """One window of a listing."""

    def __init__(self, asks: Asks, graphql: GraphQL, values: Mapping[str, str]) -> None:
        request, following = asks.request, asks.following
        self._asks, self._graphql = asks, graphql
        self._next = following
        self._operation = dotted(request.operation or "")
        self._call = call_of(request, values)
        self.arguments = window_filled(request.arguments, request.types, values)
        size_parameter = following.size_parameter or ("first" if following.kind == "connection" else "limit")
        self._size_at = dotted(size_parameter)
        self._sized = self._of_size(following.size or (SIZE if following.kind == "connection" else None))
        self._counting = Counting(following.model_copy(update={"size_parameter": size_parameter}))
        self._end = Completeness(asks.named, following, counts=True)

    def page(self, token: str | None) -> Part:
        """The page of a token, None for the first. Raises Fatal where the listing ends too soon."""
        if token is None:
            self._end.start(at_the_beginning=True)
        envelope = self._ask_page(token, self._asks.selection.names(), self._asks.beside, "page")
        listed, cursors = self._listed(envelope)
        found = _members(envelope)
        beside = {
            ".".join(path): _value(found.get(path[0], _NULL), path[1:])
            for path in self._asks.beside
            if path[:1] != EDGES[:1]
        }
        if self._next.kind == "connection" and not isinstance(beside.get("pageInfo.hasNextPage"), bool):
            raise self._changed(found)
        step = self._step(token, len(listed), beside)
        self._end.note(beside)
        self._end.count(len(listed))
        if self._next.kind in COUNTED and self._end.all_read():
            step = None  # the page after it would be empty
        if step is None:
            self._end.require_end()
        mark = hashlib.sha256(b"\n".join(listed)).hexdigest() if self._next.kind in COUNTED else step or ""
        return Part(listed, token, step, cursors, mark)

    def again(self, part: Part, number: int, connection: Path, after: str) -> bytes:
        """One record of a page once more, with further nodes of a connection in it. Raises Retriable when it is not
        there any more, Fatal without a cursor to go on from."""
        if not after:
            raise self._no_cursor(f"{'.'.join(connection)} of a record")
        selected = self._asks.selection.names_of(connection, after)
        if part.cursors is None:
            envelope = self._ask_page(part.asked, selected, (), "more")
        else:
            before = part.cursors[number - 1] if number else part.asked
            envelope = self._ask(placed(self._argument_at(before), self._size_at, 1), selected, (), "more")
            number = 0
        listed, _ = self._listed(envelope)
        if number >= len(listed):
            raise Retriable(
                f"{self._asks.named}: a record was taken out of the listing while {'.'.join(connection)} of it was "
                "read. Run it again; nothing was changed here."
            )
        return listed[number]

    def _ask_page(self, token: str | None, selected: str, beside: tuple[Path, ...], what: str) -> bytes:
        if self._next.kind not in COUNTED:
            return self._ask(self._argument_at(token), selected, beside, what)
        place = self._counting.place(token)
        stated = self._counting.as_in_yaml(place)
        try:
            return self._ask(self._at_place(place), selected, beside, what)
        except Refused:
            if stated is None:
                raise
        return self._ask(self._at_place(stated), selected, beside, what)

    def _ask(self, arguments: Mapping[str, JsonValue], selected: str, beside: tuple[Path, ...], what: str) -> bytes:
        request = self._asks.request
        written = given(arguments, request.types)
        text = document(
            self._operation, request.select, written.text, written.declared, around(self._asks.at, selected, beside)
        )
        data = self._graphql.ask(self._call, text, written.variables, f"{request.operation} {what}")
        try:
            first, *below = self._operation
            found = member(data.get(first, _NULL), tuple(below))
        except OtherShape as error:
            raise self._changed(data) from error
        if found == _NULL:
            raise self._changed(data)
        return found

    def _of_size(self, size: int | None) -> dict[str, JsonValue]:
        return placed(self.arguments, self._size_at, size) if size else self.arguments

    def _at_place(self, place: Place) -> dict[str, JsonValue]:
        """The arguments for a page that is asked for by a count."""
        return placed(self._of_size(place.size), self._parameter_at, place.position)

    def _argument_at(self, token: str | None) -> dict[str, JsonValue]:
        """The arguments for what follows a cursor or token."""
        return self._sized if token is None else placed(self._sized, self._parameter_at, token)

    @property
    def _parameter_at(self) -> Path:
        return dotted(self._next.parameter or "after")

    def _step(self, token: str | None, listed: int, beside: Mapping[str, object]) -> str | None:
        match self._next.kind:
            case "connection":
                return self._cursor(beside)
            case "token":
                found = beside.get(self._next.path or "")
                return str(found) if isinstance(found, str | int) and found else None
            case "offset" | "number":
                return self._counting.following(self._counting.place(token), listed) if listed else None
            case _:
                self._require_more_room(listed)
                return None

    def _cursor(self, beside: Mapping[str, object]) -> str | None:
        more, end = beside.get("pageInfo.hasNextPage"), beside.get("pageInfo.endCursor")
        if more and not (isinstance(end, str | int) and str(end)):
            raise self._no_cursor("its listing")
        return str(end) if more else None

    def _no_cursor(self, where: str) -> Fatal:
        return Fatal(
            f"{self._asks.named}: the source says that {where} has more pages, and gives no pageInfo.endCursor to go "
            "on from. Nothing of it is published. Report it to the system's owner."
        )

    def _require_more_room(self, listed: int) -> None:
        """A list that is as long as was asked for may have been cut there."""
        asked = [_argument(self._sized, at) for at in (self._size_at, *_SIZES)]
        if listed and listed in asked and not (self._next.complete or self._next.total):
            raise ReadInPart(
                f"{self._asks.named}: the list has as many records as were asked for ({listed}), so there may be more. "
                "Nothing of it is published. Say under `next` in its YAML how its pages go on (kind, parameter), or "
                "ask for more by next.size."
            )

    def _listed(self, envelope: bytes) -> tuple[list[bytes], list[str] | None]:
        at = self._asks.at
        try:
            for depth, name in enumerate(at):
                envelope = members(envelope)[name]
                if envelope[:1] == b"[" and at[depth + 1 :]:
                    found = elements(envelope)
                    cursors = [_text(_value(each, ("cursor",))) for each in found] if self._asks.has_cursors else None
                    return [_of_edge(each, at[depth + 1 :]) for each in found], cursors
            return elements(envelope), None
        except (OtherShape, KeyError) as error:
            raise self._changed(_members(envelope)) from error

    def _changed(self, found: Raws) -> Refused:
        expected = {"connection": "A connection with pageInfo", "none": "A list"}.get(
            self._next.kind, "A list of records"
        )
        where = ".".join(("data", *self._operation, *self._asks.at[:1]))
        return Refused(
            f"{self._asks.named}: the answer's shape has changed. {expected} is expected at {where}; there are: "
            f"{key_names(found)}. Compare request.operation and records in its YAML with the source's schema.",
            422,
        )


def _argument(arguments: Mapping[str, JsonValue], at: Path) -> JsonValue:
    """The argument at a place; None where there is none."""
    found: JsonValue = dict(arguments)
    for name in at:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _of_edge(edge: bytes, below: Path) -> bytes:
    """What an edge holds; an odd one stays whole, for the quarantine."""
    try:
        return member(edge, below)
    except OtherShape:
        return edge


def _value(raw: bytes, path: Path) -> object:
    """The value at a path; None where there is none."""
    try:
        return read_lenient(member(raw, path))
    except (OtherShape, ValueError, RecursionError):
        return None


def _members(raw: bytes) -> Raws:
    try:
        return members(raw)
    except OtherShape:
        return {}


def _text(value: object) -> str:
    return "" if value is None else str(value)
