"""What stands beside the records of an answer: signs of more pages, of how many records there are, and of an error.

Names are compared in lower case, without `_` and `-`: those that well-known APIs use.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping

import msgspec
from requests.utils import parse_header_links

from onefold.connectors.json_shape import Path
from onefold.connectors.lenient_json import raw_members, read_lenient

_JSON = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SMALL = 4096
"""Bytes; a larger value beside the records is no sign of anything."""
_ENVELOPES = frozenset(
    {"additionaldata", "cursor", "cursors", "hits", "links", "listinfo", "meta", "metadata", "page", "pageinfo"}
    | {"pages", "pager", "paging", "pagination", "responsemetadata", "resultinfo", "resultset", "xpagination"}
)
"""Objects in which answers say how they go on, also one within another."""
_TOTALS = frozenset(
    {"count", "itemcount", "nbhits", "numfound", "recordsfiltered", "resultcount", "rowcount", "total"}
    | {"totalcount", "totalelements", "totalentries", "totalhits", "totalitems", "totalrecords", "totalresultcount"}
    | {"totalresults", "totalrows", "totalsize", "xpaginationtotalcount", "xtotal", "xtotalcount", "xtotalresults"}
    | {"xwptotal", "contentrange"}
)
_PAGE_TOTALS = frozenset(
    {"lastpage", "nbpages", "numpages", "pagecount", "pages", "pagestotal", "totalpagecount", "totalpages"}
    | {"xpaginationpagecount", "xtotalpages", "xwptotalpages"}
)
_FLAGS = frozenset(
    {"hasmore", "hasnext", "hasnextpage", "incompleteresults", "istruncated", "more", "moreitemsincollection"}
    | {"morerecords", "moreresults", "truncated", "xhasmore"}
)
_ENDS = frozenset({"done", "islast", "islastpage", "last", "lastpage"})
"""What is false as long as there are more pages."""
_ADDRESSES = frozenset(
    {"next", "nextlink", "nextpage", "nextpageurl", "nextrecordsurl", "nextstart", "nexturl", "nextoffset", "xnextpage"}
)
_PREVIOUS = frozenset(
    {"hasprev", "hasprevious", "haspreviouspage", "prev", "previous", "previouslink", "previouspage", "previouspageurl"}
    | {"previousurl", "prevlink", "prevpage", "prevpageurl", "prevurl", "xprevpage"}
)
_BEGINNINGS = frozenset({"first", "isfirst", "isfirstpage"})
"""What is false on every page but the first."""
_TOKENS = frozenset(
    {"continuationtoken", "nextcursor", "nextpagetoken", "nexttoken", "xcontinuationtoken", "xmscontinuation"}
    | {"xnextcursor"}
)
_HEADERS = frozenset(
    {"contentrange", "totalcount", "xcontinuationtoken", "xhasmore", "xmscontinuation", "xnextcursor", "xnextpage"}
    | {"xpaginationpagecount", "xpaginationtotalcount", "xtotal", "xtotalcount", "xtotalpages", "xtotalresults"}
    | {"xprevpage", "xwptotal", "xwptotalpages"}
)
_ERRORS = frozenset(
    {"errcode", "error", "errorcode", "errordescription", "errormessage", "errors", "exception", "fault"}
)
_SUCCESS = frozenset({"issuccess", "issuccessful", "ok", "succeeded", "success", "successful"})
_OUTCOMES = frozenset({"outcome", "result", "stat", "status"})
_FAILED = frozenset({"err", "error", "fail", "failed", "failure", "fault", "ko", "nok"})
_STATUSES = frozenset({"code", "httpcode", "httpstatus", "status", "statuscode"})
_TOLD = frozenset({"detail", "message", "msg"})
_NOTHING = frozenset({"", "0", "false", "n/a", "no", "no error", "none", "null", "ok", "success", "200"})
_YES = frozenset({"1", "true", "y", "yes"})
_NO = frozenset({"0", "false", "n", "no"})
_OK = 200
_RANGE = re.compile(r"(?:\w+ )?(?:\d+-\d+|\*)/(\d+)", re.ASCII)
_ADDRESS = re.compile(r"[/?=]")


def linked(headers: Mapping[str, str], relation: str = "next") -> str | None:
    """The address that the header Link gives for the next page, or another (RFC 8288), as it stands there."""
    links = parse_header_links(headers.get("Link", ""))
    return next((link["url"] for link in links if relation in link.get("rel", "").lower().split()), None)


def beside_the_list(body: bytes, at: Path) -> dict[str, object]:
    """Dotted name and value of what is small and stands beside the list, or beside an object that the list is in."""
    return dict(_beside(body.removeprefix(BOM_UTF8), at, ""))


def beside_at(values: Mapping[str, object], name: str) -> object:
    """What stands at a dotted name; None where nothing does."""
    if name in values:
        return values[name]
    head, _, rest = name.partition(".")
    while rest:
        inner = values.get(head)
        if isinstance(inner, dict):
            return beside_at(inner, rest)
        step, _, rest = rest.partition(".")
        head = f"{head}.{step}"
    return None


def truth(value: object) -> bool | None:
    """true, "true", "Y", 1 as True, and likewise False; None for what is neither."""
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in _YES else False if word in _NO else None
    return bool(value) if value in (0, 1) and isinstance(value, int) else None


def in_headers(headers: Mapping[str, str]) -> dict[str, object]:
    """The headers in which APIs count records and pages, or name the next one."""
    found: dict[str, object] = {}
    for name, text in headers.items():
        if plain(name) == "contentrange":
            whole = _RANGE.fullmatch(text.strip())
            found |= {name: whole[1]} if whole else {}
        elif plain(name) == "xpagination":
            found[name] = _decoded(text.encode())
        elif plain(name) in _HEADERS:
            found[name] = text
    return found


def signs(found: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Dotted name and value of what may say how a listing goes on; of a link its address."""
    for name, value in found.items():
        if isinstance(value, dict) and "href" in value:
            yield f"{prefix}{name}.href", value["href"]
        elif isinstance(value, dict) and plain(name) in _ENVELOPES:
            yield from signs(value, f"{prefix}{name}.")
        elif isinstance(value, list) and plain(name) in _ENVELOPES:
            for each in value:
                if isinstance(each, dict):
                    yield f"{prefix}{name}.{each.get('rel')}", each.get("href")
        else:
            yield f"{prefix}{name}", value


def error_in(values: Mapping[str, object]) -> str | None:
    """The name of what says that the request failed; None when nothing does."""
    found = dict(signs(values))
    told = any(plain(name) in _TOLD for name in found)
    return next((name for name, value in found.items() if _says_failed(plain(name), value, told=told)), None)


def names_next(name: str, value: object) -> bool:
    """Whether this says that there is a next page."""
    what = plain(name)
    if what in _TOKENS:
        return isinstance(value, str | int) and bool(value)
    if what in _FLAGS:
        return value is True or (isinstance(value, str) and value.lower() == "true")
    return (what in _ENDS and value is False) or (what in _ADDRESSES and _is_place(value))


def names_previous(name: str, value: object) -> bool:
    """Whether this says that there is a page before this one."""
    what = plain(name)
    return (what in _PREVIOUS and (value is True or _is_place(value))) or (what in _BEGINNINGS and value is False)


def is_total(name: str) -> bool:
    """Whether a value of this name is how many records there are."""
    return plain(name) in _TOTALS


def is_page_total(name: str) -> bool:
    """Whether a value of this name is how many pages there are."""
    return plain(name) in _PAGE_TOTALS


def whole_number(value: object) -> int | None:
    """95, 95.0, "95" and {"value": 95} as 95; None for what is no count."""
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def plain(name: str) -> str:
    """The last part of a dotted name, in lower case, without signs between its words."""
    return name.removesuffix(".href").rpartition(".")[2].lower().replace("_", "").replace("-", "")


def _beside(body: bytes, at: Path, prefix: str) -> Iterator[tuple[str, object]]:
    for name, raw in _members(body).items():
        if name == (at[0] if at else None):
            if at[1:]:
                yield from _beside(raw, at[1:], f"{prefix}{name}.")
        elif len(raw) < _SMALL:
            yield f"{prefix}{name}", _decoded(raw)


def _members(body: bytes) -> dict[str, bytes]:
    """The values of the body's object; none when it is a list."""
    try:
        return {name: bytes(raw) for name, raw in _JSON.decode(body).items()}
    except msgspec.ValidationError:
        return {}
    except (msgspec.DecodeError, RecursionError):
        pass  # a record holds NaN, half a surrogate pair, or far too many brackets
    try:
        return {name: raw.encode() for name, raw in raw_members(body.decode()).items()}
    except ValueError:
        return {}


def _decoded(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return read_lenient(raw)
    except (ValueError, RecursionError):
        return None


def _says_failed(what: str, value: object, *, told: bool) -> bool:
    if what in _SUCCESS:
        return (value == 0 and what != "succeeded") or value is False or _word(value) in ("false", "no", "0")
    if what in _ERRORS:
        return bool(value) and _word(value) not in _NOTHING and value != _OK
    if what in _OUTCOMES and _word(value) in _FAILED:
        return True
    number = whole_number(value) if what in _STATUSES else None
    return number is not None and 400 <= number < 600 and (told or what not in ("code", "status"))


def _word(value: object) -> str | None:
    return value.strip().lower() if isinstance(value, str) else None


def _is_place(value: object) -> bool:
    """Whether a value can be where the next page is: an address, a page's number, or an object that holds one."""
    if isinstance(value, dict):
        return any(isinstance(each, str | int) and bool(each) for each in value.values())
    if isinstance(value, str):
        return bool(_ADDRESS.search(value)) or bool(whole_number(value))
    return type(value) is int and value > 0
