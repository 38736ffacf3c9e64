"""GraphQL sources: the records of a listing, page by page, and after them the deletions that the source lists apart."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from onefold.catalog.deletes import Tombstones
from onefold.catalog.paging import NextPage
from onefold.catalog.request import Request
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.graphql.client import GraphQL
from onefold.connectors.graphql.document import Selection, Style, deletions, records_at, selection, style_of
from onefold.connectors.graphql.listing import Asks, Listing, Part
from onefold.connectors.graphql.nested import Within
from onefold.connectors.page import Page, PageReader
from onefold.connectors.paging import Fetched, pages
from onefold.connectors.record import Record
from onefold.connectors.records import Head, dotted, value_at
from onefold.connectors.tombstones import deleted, ended, followed_by
from onefold.connectors.window import Window
from onefold.connectors.window_text import placeholders
from onefold.http.client import Client


def graphql_reader(system: System, stream_name: str, http: Client) -> PageReader:
    """Reads a listing page by page; then the deletions, where `deletes.tombstones` says how."""
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    graphql = GraphQL(named, http)
    return with_deletions(named, stream, graphql, Records(named, stream, graphql).read)


class Records:
    """One stream's records: what a listing has, or what is in a list within each that it has."""

    def __init__(self, named: str, stream: Stream, graphql: GraphQL) -> None:
        self.named, self.stream, self.graphql = named, stream, graphql
        self.following = self.next_page()
        self.at = records_at(stream.records, self.following)
        self.selection = self.selected(style_of(self.following, self.at))
        self._asks = Asks(named, stream.request, self.following, self.at, self.selection)
        self.within = Within(named, self.selection, Head(named, stream))

    def next_page(self) -> NextPage:
        """How pages go on."""
        return self.stream.next

    def selected(self, style: Style) -> Selection:
        """What is asked for of each record."""
        return selection(self.named, self.stream, style)

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        """The pages of a window, from the token on."""
        return pages(partial(self.page, self.listing(window)), token, self.named)

    def listing(self, window: Window) -> Listing:
        return Listing(self._asks, self.graphql, placeholders(window, self.stream))

    def page(self, listing: Listing, token: str | None) -> Fetched:
        """The page of a token, each of its records read to the end."""
        part = listing.page(token)
        found = [
            record
            for number, listed in enumerate(part.listed)
            for record in self.within.records(listed, partial(self.further, listing, part, number))
        ]
        return Fetched(found, part.token, mark=part.mark)

    def further(self, listing: Listing, part: Part, number: int, connection: tuple[str, ...], after: str) -> bytes:
        """A record of the page once more, with the nodes of a connection that follow a cursor."""
        return listing.again(part, number, connection, after)


def with_deletions(
    named: str, stream: Stream, graphql: GraphQL, read: PageReader, *, size: int | None = None
) -> PageReader:
    """The reader, and after it the feed of deletions, where there is one; `size` is the most that a page of it has."""
    feed = stream.deletes.tombstones
    if feed is None:
        return read
    following = feed.next
    if size:
        following = following.model_copy(update={"size": min(size, following.size or size)})
    request = _asked_as(feed.request, stream.request)
    at = records_at(feed.records, following)
    asks = Asks(named, request, following, at, deletions(named, feed, style_of(following, at)))
    return followed_by(
        read, partial(_entries, asks, feed, graphql, stream), ended if stream.nested else deleted(stream, feed)
    )


def _asked_as(request: Request, other: Request) -> Request:
    """The request with the other's path, method and headers where it says none of its own."""
    names = {"path", "method", "headers"} & (other.model_fields_set - request.model_fields_set)
    return request.model_copy(update={name: getattr(other, name) for name in names})


def _entries(
    asks: Asks, feed: Tombstones, graphql: GraphQL, stream: Stream, window: Window, token: str | None
) -> Iterator[Page]:
    """The feed of deletions: records whose key is what an entry names."""
    listing = Listing(asks, graphql, placeholders(window, stream))

    def fetch(token: str | None) -> Fetched:
        part = listing.page(token)
        return Fetched([_entry(entry, feed.key) for entry in part.listed], part.token, mark=part.mark)

    return pages(fetch, token, asks.named)


def _entry(entry: bytes, key: str) -> Record:
    found = value_at(entry, dotted(key))
    return Record(None if found is None else str(found), None, False, entry)
