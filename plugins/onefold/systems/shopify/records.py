"""Shopify's records: page by page, or by a bulk operation where much is to be read.

Source: Shopify, "GraphQL Admin API": pagination, "Perform bulk operations" (there the connections are written as edges,
and their nodes come on lines of their own), the …Count queries, at most 250 records a page.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import msgspec
from pydantic import JsonValue

from onefold.catalog.paging import NextPage
from onefold.connectors.graphql.arguments import is_text, literal
from onefold.connectors.graphql.client import Call, call_of
from onefold.connectors.graphql.document import EDGES, Selection, Style
from onefold.connectors.graphql.listing import Listing, Part
from onefold.connectors.graphql.parts import a_list, an_object
from onefold.connectors.graphql.reader import Records
from onefold.connectors.json_shape import Path
from onefold.connectors.page import Page
from onefold.connectors.paging import Fetched, pages
from onefold.connectors.window import Window
from onefold.connectors.window_text import placeholders
from onefold.errors import Fatal
from onefold.systems.shopify.bulk import Bulk, Node, is_token

log = logging.getLogger(__name__)
_NAME = re.compile(r"[_A-Za-z]\w*", re.ASCII)
"""What an enum's value looks like; a date or a number as text does not."""

LARGEST_PAGE = 250
PAGE = 50
NESTED = 10
"""How many nodes of a nested connection come with a page; where there are more, the window is read by a bulk operation
instead. A page costs as much as it could hold, so this is small."""
BULK_WINDOW = timedelta(days=1)
"""A window longer than this may hold so much that counting it first is worth a request."""
BULK_FROM = 1_000
"""From so many records on a bulk operation is used: it costs next to nothing, where pages would use up the points."""


class Truncated(Exception):
    """A record has more nested nodes than a page holds."""


class _Count(msgspec.Struct):
    count: int


class ShopifyRecords(Records):
    """One stream's records, by whichever way costs less."""

    def next_page(self) -> NextPage:
        """A page of no more than Shopify allows."""
        return self.stream.next.model_copy(update={"size": min(self.stream.next.size or PAGE, LARGEST_PAGE)})

    def selected(self, style: Style) -> Selection:
        """With the ids by which a bulk operation's lines name their parent."""
        made = super().selected(replace(style, nested=NESTED))
        if made.connections:
            made.tree.setdefault("id", {})
        if len(made.connections) > 1 or any(len(path) > 1 for path in made.connections):
            raise Fatal(
                f"{self.named}: only one connection may be nested in its records, at their top level: a bulk "
                "operation's lines would not say which of them they are of."
            )
        for (name,) in made.connections:
            below = made.tree.get(name, {})
            made.tree[name] = below if "id" in below else {"id": {}, **below}
        return replace(made, key=(("id",),))

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        listing = self.listing(window)
        call = call_of(self.stream.request, placeholders(window, self.stream))
        bulk = Bulk(self.named, self.graphql, call, self._whole(listing))

        def in_bulk(token: str | None) -> Fetched:
            found, step = bulk.part(token)
            records = [record for node in found for record in self.within.records(self._listed(node), _no_more)]
            return Fetched(records, step, mark=step or "")

        def fetch(token: str | None) -> Fetched:
            if is_token(token) or (token is None and self._much(window, listing, call)):
                return in_bulk(token)
            try:
                return self.page(listing, token)
            except Truncated:
                log.info("%s: some record holds more than a page can; read by a bulk operation", self.named)
                return in_bulk(None)

        return pages(fetch, token, self.named)

    def further(self, listing: Listing, part: Part, number: int, connection: tuple[str, ...], after: str) -> bytes:
        raise Truncated

    def _much(self, window: Window, listing: Listing, call: Call) -> bool:
        if window.end - window.start <= BULK_WINDOW:
            return False
        counted = f"{self.stream.request.operation}Count"
        query = literal(listing.arguments.get("query", ""))
        data = self.graphql.ask(call, f"{{ {counted}(query: {query}, limit: {BULK_FROM}) {{ count }} }}")
        return msgspec.json.decode(data.get(counted, b"{}"), type=_Count).count >= BULK_FROM

    def _whole(self, listing: Listing) -> str:
        """The document for a bulk operation, which has no variables: of the types that we name, those that are no
        text's are enums."""
        types = self.stream.request.types
        shown = ", ".join(
            f"{name}: {without_variables(value, types.get(name))}" for name, value in listing.arguments.items()
        )
        operation = self.stream.request.operation
        root = f"{operation}({shown})" if shown else operation
        names = replace(self.selection, style=Style(EDGES, nested=0)).names()
        return f"{{ {root} {{ edges {{ node {{ {names} }} }} }} }}"

    def _listed(self, node: Node) -> bytes:
        """The node as a page would give it."""
        found = dict(node.root)
        first, *below = self.selection.style.at
        for (name,) in self.selection.connections:
            nodes = [an_object(child) for child in node.children]
            for inner in reversed(below):
                nodes = [an_object({inner: child}) for child in nodes]
            found[name] = an_object({"pageInfo": b'{"hasNextPage":false}', first: a_list(nodes)})
        return an_object(found)


def without_variables(value: JsonValue, kind: str | None) -> str:
    """An argument of a type, None where it is not named, as a document without variables has it."""
    if isinstance(value, list):
        return f"[{', '.join(without_variables(each, kind) for each in value)}]"
    is_enum = isinstance(value, str) and kind is not None and not is_text(kind) and _NAME.fullmatch(value)
    return str(value) if is_enum else literal(value)


def _no_more(connection: Path, after: str) -> bytes:
    raise Truncated  # what is in a bulk operation's file is whole
