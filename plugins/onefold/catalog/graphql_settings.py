"""What cannot be true of a stream that is read by GraphQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onefold.catalog.paging import NextPage
from onefold.catalog.stream import Stream

_NAMES = re.compile(r"[_A-Za-z]\w*(\.[_A-Za-z]\w*)*", re.ASCII)
_KINDS = ("none", "connection", "offset", "number", "token")
_PARENT = "parent."


def graphql_mistakes(stream: Stream) -> Iterator[tuple[str, str]]:
    """Dotted name of each setting that GraphQL cannot follow, and what to write instead."""
    yield from _of_pages("", stream.records, stream.next)
    if feed := stream.deletes.tombstones:
        yield from _of_pages("deletes.tombstones.", feed.records, feed.next)
        if not _NAMES.fullmatch(feed.request.operation or ""):
            yield (
                "deletes.tombstones.request",
                "protocol graphql needs request.operation here: the field that lists the deletions",
            )
    if stream.request.operation and not _NAMES.fullmatch(stream.request.operation):
        yield "request.operation", "must be names with dots between them, as viewer.repositories"
    if stream.nested and stream.nested.carry:
        yield (
            "nested.carry",
            "protocol graphql ignores nested.carry: a field with the path parent.NAME has it; take it out",
        )
    yield from _of_connections(stream)


def _of_pages(where: str, records: str, following: NextPage) -> Iterator[tuple[str, str]]:
    kind = following.kind
    if kind not in _KINDS:
        yield f"{where}next.kind", f"protocol graphql does not go on by {kind}; write one of {', '.join(_KINDS)}"
        return
    if kind in ("offset", "number") and not following.parameter:
        yield f"{where}next", f"next of kind {kind} needs parameter: the argument that is counted up"
    if kind == "none" and following.parameter:
        yield (
            f"{where}next.parameter",
            "without a kind nothing is asked for by it; write how pages go on, or take it out",
        )
    if kind != "token" and following.path:
        yield f"{where}next.path", f"next of kind {kind} does not read it; take it out"
    if following.size_parameter and not following.size and kind != "connection":
        yield f"{where}next.size_parameter", "without a size nothing is asked for by it; add next.size, or take it out"
    if records and not _NAMES.fullmatch(records):
        yield f"{where}records", "must be names with dots between them, as nodes or edges.node"
    for name, path in (("total", following.total), ("path", following.path)):
        if path and not records and kind != "connection":
            text = f"next.{name} stands beside the list, and the list is the answer itself; say in records where it is"
            yield f"{where}next.{name}", text
        if path and not _NAMES.fullmatch(path):
            yield f"{where}next.{name}", "must be names with dots between them, as totalCount"


def _of_connections(stream: Stream) -> Iterator[tuple[str, str]]:
    nested = f"{stream.nested.path}." if stream.nested else ""
    paths = [re.sub(r"\[[^\]]*\]", "", (each.path or name).removeprefix("$.")) for name, each in stream.fields.items()]
    places = [path.removeprefix(_PARENT) if nested and path.startswith(_PARENT) else nested + path for path in paths]
    for name in stream.request.connections:
        if any(name.startswith(f"{other}.") for other in stream.request.connections):
            text = f"{name} is a connection within another one; read it as a stream of its own"
            yield "request.connections", text
        elif not any(f"{place}.".startswith(f"{name}.") for place in places):
            yield "request.connections", f"no field is read from {name}; add one below it, or take {name} out"
