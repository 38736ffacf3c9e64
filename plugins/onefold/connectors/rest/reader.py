"""REST sources that answer JSON: all that is particular to one stands in its YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onefold.catalog.paging import NextPage
from onefold.catalog.request import Request
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.answer_shape import AnswerShape
from onefold.connectors.json_shape import Path
from onefold.connectors.nested import NestedRecords
from onefold.connectors.page import PageReader
from onefold.connectors.records import Splitter, dotted
from onefold.connectors.rest.answers import Answers
from onefold.connectors.rest.fill import Into, Values
from onefold.connectors.rest.listing import Asks, Listing, Split
from onefold.connectors.rest.slices import sliced
from onefold.connectors.tombstones import Entries, deleted, followed_by
from onefold.http.client import Client

if TYPE_CHECKING:
    from onefold.connectors.rest.formats import Formatted


def rest_reader(system: System, stream_name: str, http: Client) -> PageReader:
    """Reads a stream by `request` and `next`, and after it the deletions where `deletes.tombstones` says how."""
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    at, answers = dotted(stream.records), Answers(named, system, stream)
    outer = Splitter(named, stream, at, where_next(stream.next), otherwise=AnswerShape(at, stream.answer))
    within = NestedRecords(named, stream, stream.nested, outer) if stream.nested else None
    slices = stream.request.slices
    into = Into(named, stream)
    formatted = _formatted(named, system, stream)

    def listing(request: Request, values: Values) -> PageReader:
        own = formatted or within or outer
        split = into.split(own, values) if values else own
        shown = stream.request.path if values else None
        if formatted:
            request = request.model_copy(update={"headers": {"Accept": formatted.accept} | request.headers})
        asks = Asks(named, stream, request, stream.next, split, http, answers, at, shown)
        if formatted and stream.next.kind == "none":
            from onefold.connectors.rest.one_body import one_body  # imports what reads formats

            read = one_body(asks, formatted, lambda records: into.records(records, values))
        else:
            read = listed(asks)
        return sliced(read, slices) if slices and values else read

    if stream.webhook and stream.webhook.fetch:
        from onefold.connectors.rest.named_by_events import named_reader  # opens the inbox

        return named_reader(system, stream_name, stream.webhook.fetch, listing)
    if stream.parent:
        from onefold.connectors.rest.children import children_reader  # imports SQLite

        read = children_reader(system, stream_name, rest_reader(system, stream.parent.stream, http), listing)
    else:
        read = listing(stream.request, {})
        read = within.emptied(within.somewhere(read)) if within else read
    if feed := stream.deletes.tombstones:
        entries = asked(named, stream, feed.request, feed.next, Entries(feed), http, answers, dotted(feed.records))
        read = followed_by(read, entries, deleted(stream, feed))
    return sliced(read, slices) if slices and not stream.parent else read


def _formatted(named: str, system: System, stream: Stream) -> Formatted | None:
    """What reads answers that are no JSON document."""
    if stream.format is None:
        return None
    from onefold.connectors.rest.formats import Formatted

    return Formatted(named, system, stream, stream.format)


def where_next(following: NextPage) -> Path | None:
    """Where a body has the text that says how its page is followed; None where it has none, or JSON that is sent back
    as it came."""
    as_it_came = following.kind == "token" and following.place == "body"
    return dotted(following.path) if following.path and not as_it_came else None


def asked(
    named: str,
    stream: Stream,
    request: Request,
    following: NextPage,
    split_full: Split,
    http: Client,
    answers: Answers,
    list_at: Path = (),
) -> PageReader:
    """Reads what `request` asks for, page by page, to an end that is proven: an empty page, the total that the answer
    names, or an answer without any sign of another page. `list_at` is where its list stands in the body.

    A page's token is the next page's address, token, offset or number, or what the last record was named by; where
    pages overlap, the offset with the last records' keys.
    """
    return listed(Asks(named, stream, request, following, split_full, http, answers, list_at, None))


def listed(asks: Asks) -> PageReader:
    """Reads a listing page by page."""
    return lambda window, token: Listing(asks, window).pages(token)
