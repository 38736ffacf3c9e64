"""How a listing goes on after its first page, from its parameters and the shape of its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from onefold.draft.model import Value

_ADDRESS = re.compile(r"^(@odata\.)?_?next_?(page)?_?(link|url|uri|href|records_?url)?$", re.IGNORECASE)
_TOKENS = (
    "next_cursor", "nextcursor", "next_page_token", "nextpagetoken", "next_token", "nexttoken", "cursor", "end_cursor",
    "endcursor", "continuation", "continuationtoken", "continuation_token", "page_token", "pagetoken", "next_page",
    "nextpage", "next", "after", "scroll_id", "_scroll_id", "bookmark", "nextmarker", "marker", "offset_token",
)  # fmt: skip
_TOKEN_PARAMETERS = (
    "cursor", "page_token", "pagetoken", "next_token", "nexttoken", "next_cursor", "continuation", "continuationtoken",
    "continuation_token", "after", "starting_after", "page_cursor", "token", "scroll_id", "bookmark", "marker",
    "page[after]", "page[cursor]", "next",
)  # fmt: skip
_AFTER_PARAMETERS = ("starting_after", "after_id", "since_id", "last_id", "after")
_MORE = (
    "has_more",
    "hasmore",
    "has_next",
    "hasnext",
    "more",
    "has_next_page",
    "hasnextpage",
    "truncated",
    "is_truncated",
)
_TOTALS = (
    "total", "total_count", "totalcount", "total_results", "totalresults", "total_items", "totalitems", "totalelements",
    "total_elements", "total_records", "totalrecords", "record_count", "recordcount", "@odata.count",
)  # fmt: skip
_PAGES = ("page", "pagenumber", "page_number", "pageindex", "page_index", "page[number]", "pageno", "page_no", "p")
_OFFSETS = ("offset", "skip", "start_index", "startindex", "page[offset]", "$skip", "startat", "start_at", "start")
_SIZES = (
    "limit", "per_page", "perpage", "pagesize", "page_size", "size", "top", "pagelimit", "count", "max_results",
    "maxresults", "page[size]", "page[limit]", "$top", "take", "results_per_page", "items_per_page",
)  # fmt: skip
_HOLDERS = re.compile(
    r"^(_?links?|next|meta|metadata|paging|pagination|page_?info|response_?metadata|_?page|cursors?|result)$",
    re.IGNORECASE,
)
UNKNOWN = "nothing in the description says how pages go on: compare a listing that is longer than one page"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter: its name as it is sent, its schema, and whether it must be sent."""

    name: str
    schema: Mapping[str, object]
    required: bool = False
    example: object = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What is known of a listing: its query parameters by lower-case name, the places of the scalars in its answer,
    whether the header Link is documented, and the key of its records."""

    parameters: Mapping[str, Parameter]
    places: tuple[tuple[str, ...], ...]
    link: bool = False
    key: str = "id"
    is_list: bool = False
    text: str = ""
    kinds: Mapping[tuple[str, ...], str] = field(default_factory=dict)


def following(listing: Listing) -> tuple[dict[str, Value], str | None]:
    """The stream's `next`, and what to check of it; empty where nothing says how pages go on."""
    for found in (_by_after(listing), _by_token(listing), _by_address(listing), _by_link(listing)):
        if found:
            return found
    return _by_position(listing)


def page_size(parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """The parameter that asks for so many records a page, with the most that it allows."""
    for name in _SIZES:
        if name in parameters:
            schema = parameters[name].schema
            most = schema.get("maximum") or schema.get("default")
            return {parameters[name].name: str(most)} if isinstance(most, int) and most > 0 else {}
    return {}


def _by_after(listing: Listing) -> tuple[dict[str, Value], str | None] | None:
    """Stripe's: the next page begins after the last record's key while the answer says that there are more."""
    more = _place(listing, _MORE)
    parameter = next((listing.parameters[each] for each in _AFTER_PARAMETERS if each in listing.parameters), None)
    if not more or not parameter or _place(listing, _TOKENS):
        return None
    given: dict[str, Value] = {"kind": "after", "field": listing.key, "more": more, "parameter": parameter.name}
    return given, None if parameter.name == "starting_after" else f"pages go on after the last record's {listing.key}"


def _by_token(listing: Listing) -> tuple[dict[str, Value], str | None] | None:
    parameter = next((listing.parameters[each] for each in _TOKEN_PARAMETERS if each in listing.parameters), None)
    place = _place(listing, _TOKENS)
    if place is None:
        return None
    if parameter is None:
        last = place.rpartition(".")[2].lower()
        parameter = listing.parameters.get(last)
        if parameter is None and last == "next_page" and "page" in listing.parameters:
            parameter = listing.parameters["page"]
    if parameter is None:
        return None
    return {"kind": "token", "path": place, "parameter": parameter.name}, None


def _by_address(listing: Listing) -> tuple[dict[str, Value], str | None] | None:
    for keys in sorted(listing.places, key=len):
        held = len(keys) > 1 and keys[-2].lower() == "next" and keys[-1].lower() in ("href", "link", "url", "uri")
        name = "next" if held else keys[-1]
        inside = keys[:-2] if name != keys[-1] else keys[:-1]
        is_text = listing.kinds.get(keys, "text") in ("text", "json")
        if _ADDRESS.match(name) and is_text and all(_HOLDERS.match(each) for each in inside):
            return {"kind": "url", "path": ".".join(keys)}, None
    return None


def _by_link(listing: Listing) -> tuple[dict[str, Value], str | None] | None:
    if listing.link:
        return {"kind": "link"}, None
    paged = any(name in listing.parameters for name in (*_PAGES, "per_page"))
    if (
        listing.is_list
        and paged
        and re.search(r"\blink\b.{0,20}\bheader|header.{0,20}\blink\b|rel=.?next", listing.text, re.IGNORECASE)
    ):
        return {"kind": "link"}, "its text speaks of a header Link"
    return None


def _by_position(listing: Listing) -> tuple[dict[str, Value], str | None]:
    total = _place(listing, _TOTALS)
    for names, kind, usual in ((_PAGES, "number", 1), (_OFFSETS, "offset", 0)):
        parameter = next((listing.parameters[name] for name in names if name in listing.parameters), None)
        if parameter is None:
            continue
        first = parameter.schema.get("default", parameter.schema.get("minimum"))
        given: dict[str, Value] = {"kind": kind, "parameter": parameter.name}
        if isinstance(first, int) and 0 <= first <= 1 and (kind == "number" or first != usual):
            given["first"] = first
        elif kind == "number":
            given["first"] = usual
        if total:
            given["total"] = total
        told = isinstance(first, int) or kind == "offset"
        return given, None if told else "the first page is taken to be number 1"
    return {}, UNKNOWN


def _place(listing: Listing, names: tuple[str, ...]) -> str | None:
    """Where the answer has a scalar of one of these names: at its top, or in an object that is about paging."""
    for wanted in names:
        for keys in sorted(listing.places, key=len):
            if keys[-1].lower() == wanted and all(_HOLDERS.match(each) for each in keys[:-1]):
                return ".".join(keys)
    return None


def token_place(listing: Listing) -> str | None:
    """Where the answer has what looks like the next page's token."""
    return _place(listing, _TOKENS)
