"""GraphQL sources with Relay connections, read page by page, or by a bulk operation where much is to be read.

Source: Shopify, "GraphQL Admin API": pagination (pageInfo).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import msgspec

from onefold.catalog.request import Request
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.graphql import bulk as graphql_bulk
from onefold.connectors.graphql.client import GraphQL, Raws
from onefold.connectors.graphql.document import PARENT, Selection, deletions, selection
from onefold.connectors.page import Page, PageReader
from onefold.connectors.paging import Fetched, pages
from onefold.connectors.record import Record
from onefold.connectors.records import Head, key_names, value_at
from onefold.connectors.tombstones import deleted, ended, followed_by
from onefold.connectors.window import Window
from onefold.connectors.window_text import filled, placeholders
from onefold.http.client import Client
from onefold.http.failure import Refused

log = logging.getLogger(__name__)

LARGEST_PAGE = 250
PAGE = 50
BULK_WINDOW = timedelta(days=1)
"""A window longer than this may hold so much that counting it first is worth a request."""
BULK_FROM = 1_000
"""From so many records on a bulk operation is used: it costs next to nothing, where pages would use up the points."""


class Truncated(Exception):
    """A record has more nested nodes than a page holds."""


class _PageInfo(msgspec.Struct, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class _Connection(msgspec.Struct, rename="camel"):
    page_info: _PageInfo
    nodes: list[msgspec.Raw]


class _Count(msgspec.Struct):
    count: int


def graphql_reader(system: System, stream_name: str, http: Client) -> PageReader:
    """Reads a connection page by page, or by a bulk operation where much is to be read; then the deletions, where
    `deletes.tombstones` says how. A page's token is its cursor, or how far a bulk operation's result has been read."""
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    graphql = GraphQL(named, stream.request.path, http)
    read = Connection(named, stream, graphql).read
    feed = stream.deletes.tombstones
    if feed is None:
        return read
    entries = partial(_entries, named, feed.request, deletions(feed), feed.key, graphql, stream)
    return followed_by(read, entries, ended if stream.nested else deleted(stream, feed))


class Connection:
    """One stream's records: the nodes of a connection, or those within each of them."""

    def __init__(self, named: str, stream: Stream, graphql: GraphQL) -> None:
        self._named = named
        self._stream = stream
        self._graphql = graphql
        self._selection = selection(named, stream)
        self._nested = stream.nested.path if stream.nested else None
        self._head = Head(named, stream)
        self._size = min(stream.next.size or PAGE, LARGEST_PAGE)

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        request = self._stream.request
        values = placeholders(window, self._stream)
        arguments = {name: filled(value, values) for name, value in request.params.items()}
        document = self._selection.page(request, arguments)
        bulk = graphql_bulk.Bulk(self._named, self._graphql, self._selection.whole(request, arguments))

        def in_bulk(token: str | None) -> Fetched:
            found, step = bulk.part(token)
            records = [record for node in found for record in self._records(node.root, node.children)]
            return Fetched(records, step, mark=step or "")

        def fetch(token: str | None) -> Fetched:
            if graphql_bulk.is_token(token) or (token is None and self._much(window, arguments)):
                return in_bulk(token)
            try:
                return self._page(document, token)
            except Truncated:
                log.info("%s: some record holds more than a page can; read by a bulk operation", self._named)
                return in_bulk(None)

        return pages(fetch, token, self._named)

    def _page(self, document: str, after: str | None) -> Fetched:
        data = self._graphql.ask(document, first=self._size, after=after)
        found = _connection(self._named, data, self._stream.request.operation or "")
        records = [record for node in found.nodes for record in self._of_node(node)]
        step = found.page_info.end_cursor if found.page_info.has_next_page else None
        return Fetched(records, step, mark=step or "")

    def _much(self, window: Window, arguments: dict[str, str]) -> bool:
        if window.end - window.start <= BULK_WINDOW:
            return False
        counted = f"{self._stream.request.operation}Count"
        query = json.dumps(arguments.get("query", ""))
        data = self._graphql.ask(f"{{ {counted}(query: {query}, limit: {BULK_FROM}) {{ count }} }}")
        return msgspec.json.decode(data.get(counted, b"{}"), type=_Count).count >= BULK_FROM

    def _of_node(self, node: msgspec.Raw) -> list[Record]:
        """The records of a node; one that cannot be taken apart (it is null, say) stays whole, for the quarantine."""
        try:
            return self._records(*self._taken_apart(node))
        except (msgspec.DecodeError, RecursionError):
            return [self._head.record(bytes(node))]

    def _taken_apart(self, node: msgspec.Raw) -> tuple[Raws, list[Raws]]:
        """A node without the connection in it, and that one's nodes. Raises Truncated when there are more of them."""
        root = msgspec.json.decode(node, type=Raws)
        children: list[Raws] = []
        for name in self._selection.connections & root.keys():
            inner = msgspec.json.decode(root.pop(name), type=_Connection)
            if inner.page_info.has_next_page:
                raise Truncated
            children = [msgspec.json.decode(child, type=Raws) for child in inner.nodes]
        return root, children

    def _records(self, root: Raws, children: list[Raws]) -> list[Record]:
        """The same records whichever way the nodes came: names in the order of the query, connections as lists."""
        if self._nested:
            return [self._head.record(msgspec.json.encode({PARENT: root, **child})) for child in children]
        lists = dict.fromkeys(self._selection.connections, children)
        ordered = {name: each[name] for name in self._selection.tree for each in (lists, root) if name in each}
        return [self._head.record(msgspec.json.encode(ordered | {k: v for k, v in root.items() if k not in ordered}))]


def _entries(
    named: str,
    request: Request,
    what: Selection,
    key: str,
    graphql: GraphQL,
    stream: Stream,
    window: Window,
    token: str | None,
) -> Iterator[Page]:
    """The feed of deletions: records whose key is what an entry names."""
    values = placeholders(window, stream)
    document = what.page(request, {name: filled(value, values) for name, value in request.params.items()})

    def fetch(token: str | None) -> Fetched:
        found = _connection(named, graphql.ask(document, first=LARGEST_PAGE, after=token), request.operation or "")
        records = [Record(_text(value_at(bytes(node), (key,))), None, False, bytes(node)) for node in found.nodes]
        step = found.page_info.end_cursor if found.page_info.has_next_page else None
        return Fetched(records, step, mark=step or "")

    return pages(fetch, token, named)


def _connection(named: str, data: Raws, operation: str) -> _Connection:
    try:
        return msgspec.json.decode(data.get(operation, b"null"), type=_Connection)
    except msgspec.ValidationError as error:
        raise Refused(
            f"{named}: the answer's shape has changed: {error}. A connection with pageInfo and nodes is expected at "
            f"data.{operation}; there are: {key_names(data)}. Compare request.operation in its YAML "
            "with the source's schema.",
            422,
        ) from error


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
