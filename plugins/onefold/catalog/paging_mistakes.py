"""What `next` says and cannot be true of the request that it is said of, or would be ignored there."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from onefold.catalog.paging import ADDRESSES, COUNTED, OF_KINDS, NextPage
from onefold.catalog.request import PLACEHOLDERS, Request
from onefold.catalog.stream import Stream


def paging_mistakes(protocol: str, stream: Stream) -> Iterator[tuple[str, str]]:
    """Dotted name of each key under next that cannot be as it is, and what is wrong with it."""
    if protocol == "rest":
        yield from _of_rest("", stream.request, stream.next)
        if feed := stream.deletes.tombstones:
            yield from _of_rest("deletes.tombstones.", feed.request, feed.next)
    elif protocol == "soap":
        yield from _of_soap(stream.next)
    if protocol in ("rest", "soap"):
        yield from _of_both(protocol, "", stream.request, stream.next)


def _of_both(protocol: str, at: str, request: Request, following: NextPage) -> Iterator[tuple[str, str]]:
    if following.size and not following.size_parameter:
        text = "ignores next.size (protocol graphql and sql need no more) without next.size_parameter"
        yield f"{at}next.size", f"protocol {protocol} {text}: name there the parameter that carries it"
    if following.size_parameter and not following.size:
        yield f"{at}next.size_parameter", "without next.size it carries nothing: say how many records a page is to have"
    if following.kind in COUNTED and not following.parameter:
        yield f"{at}next.kind", f"next of kind {following.kind} needs parameter: what is counted up in the request"
    if following.kind == "none":
        for name in sorted(following.model_fields_set & OF_KINDS.keys()):
            yield f"{at}next.{name}", f"next.{name} is read with a kind only: say which, or take it out"
    if following.kind == "number" and following.first is None:
        text = "pages are counted from 0 or from 1, and from the wrong one the first page is missed: say first: 0 or 1"
        yield f"{at}next.kind", f"{text}, as the system's description has it"
    twice = {"size_parameter": following.size_parameter}
    if following.kind in COUNTED:
        twice["parameter"] = following.parameter
    for name, given in twice.items():
        if given in request.params and following.place == "query":
            remedy = "first says where to begin" if name == "parameter" else "size says how many"
            yield f"{at}next.{name}", f"{given} stands under request.params too: take it out there ({remedy})"


def _of_rest(at: str, request: Request, following: NextPage) -> Iterator[tuple[str, str]]:
    if at:
        yield from _of_both("rest", at, request, following)
    if following.place != "body":
        return
    if request.method != "POST":
        yield f"{at}next.place", "a GET has no body to carry it: say request.method: POST, or another place"
    elif isinstance(request.body, str) and not _is_object(request.body):
        yield f"{at}next.place", "request.body is no JSON object, into which it could be put: write one"


def _of_soap(following: NextPage) -> Iterator[tuple[str, str]]:
    if following.kind in ADDRESSES:
        remedy = "token, after, offset or number with parameter: the argument that says which page"
        yield "next.kind", f"a SOAP call has no address of a next page: use {remedy}"
    for name in ("path", "total", "more", "last"):
        if "." in (getattr(following, name) or ""):
            yield f"next.{name}", f"{name} is the name of an element of the answer, without dots"


def _is_object(template: str) -> bool:
    for name in PLACEHOLDERS:
        template = template.replace(f"{{{name}}}", "0")
    try:
        msgspec.json.decode(template, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return False
    return True
