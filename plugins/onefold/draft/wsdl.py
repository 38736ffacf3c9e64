"""A draft from a SOAP service's WSDL: every operation that reads, and whose answer has a list, is a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import zeep
from zeep import xsd
from zeep.xsd import AnySimpleType, ComplexType, Element

from onefold.connectors.soap.encoding_schema import NAMESPACE, encoding_schema
from onefold.draft.guesses import fitting, guessed_cursor, guessed_keys
from onefold.draft.model import Draft, DraftStream, Mark, Value
from onefold.draft.names import Given, fields_of, stream_name
from onefold.draft.origin import Origin
from onefold.draft.verbs import writes
from onefold.errors import Fatal

_TYPES: tuple[tuple[type[AnySimpleType], str], ...] = (
    (xsd.UnsignedInt, "integer"), (xsd.UnsignedLong, "numeric"), (xsd.Integer, "integer"), (xsd.Decimal, "numeric"),
    (xsd.Double, "numeric"), (xsd.Float, "numeric"), (xsd.Boolean, "boolean"), (xsd.Date, "date"),
    (xsd.DateTime, "timestamp"),
)  # fmt: skip
"""Each with the types derived from it; the first that fits counts. XML Schema derives integer from decimal, unsignedInt
from unsignedLong. What is none of these is text."""
_DEEPEST = 8
_SIZE = re.compile(
    r"(?i)^(page_?size|limit|max_?(rows|results|records|count)|top|count|ile|liczba_?(rekordow|wierszy))$"
)
_PAGE = re.compile(
    r"(?i)^(page|page_?(number|no|index|num)|strona|numer_?strony|offset|skip|start_?(row|index)|seite)$"
)
_FROM = re.compile(
    r"^(?i:from|since|start|begin|od|von|ab|after|.*_(from|since|od|von))$|.*[a-z](From|Since|Od|Von|After)$"
)
_TO = re.compile(r"^(?i:to|until|end|do|bis|before|.*_(to|until|do|bis))$|.*[a-z](To|Until|Do|Bis|Before)$")
_OFFSET = re.compile(r"(?i)offset|skip|index|start")
_TOKEN = re.compile(r"(?i)((next_?)?(page_?)?(token|cursor)|continuation(_?token)?|next|bookmark)")
_NEXT_TOKEN = re.compile(r"(?i)(next_?(page_?)?(token|cursor)?|continuation(_?token)?|bookmark)")
_TOTAL = re.compile(r"(?i)total(_?(count|results|records|rows|items))?|(record|row)_?count|liczba_?(rekordow|wierszy)")
_TOTAL_PAGES = re.compile(r"(?i)total_?pages|page_?count|pages|liczba_?stron")
_MORE = re.compile(r"(?i)(has_?)?more(_?(results|records|pages|data))?|has_?next(_?page)?")
_COUNTING = ("integer", "numeric", "text")
USUAL_SIZE = "100"


class _FromOrigin(zeep.Transport):
    """Reads the WSDL and what it imports, beside it or on its host; from elsewhere only what was saved beside it."""

    def __init__(self, origin: Origin) -> None:
        zeep.Transport.__init__(self)
        self._origin = origin

    def load(self, url: str) -> bytes:
        if url == self._origin.location:
            return self._origin.content()
        if url == NAMESPACE:
            return encoding_schema()
        parts = urlsplit(url)
        if parts.scheme in ("", "file"):
            folder = Path(self._origin.location).resolve().parent
            path = Path(unquote(parts.path)).resolve()
            named = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else f"../{path.name}"
            return self._origin.beside(named)
        return self._origin.beside(url)


class _Message(Protocol):
    body: Element | None


class _Operation(Protocol):
    """What zeep has for an operation of a binding."""

    input: _Message
    output: _Message


def wsdl_draft(origin: Origin) -> Draft:
    """Raises Fatal when it is no WSDL, or no operation of it reads a list."""
    try:
        service = zeep.Client(origin.location, transport=_FromOrigin(origin), settings=zeep.Settings(forbid_dtd=True))
    except (zeep.exceptions.XMLSyntaxError, zeep.exceptions.Error) as error:
        raise Fatal(f"{origin.shown} cannot be read as a WSDL: {str(error).splitlines()[0]}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # zeep has no error of its own for all of it
        raise Fatal(f"{origin.shown} is a WSDL whose parts do not fit together ({type(error).__name__})") from error
    streams: dict[str, DraftStream] = {}
    left_out: dict[str, str] = {}
    address = ""
    for each in service.wsdl.services.values():
        for port in each.ports.values():
            address = address or str(port.binding_options.get("address") or "")
            for name, operation in port.binding._operations.items():  # zeep has no public list of them
                if name in streams or name in left_out:
                    continue
                found = _stream(name, operation)
                if isinstance(found, str):
                    left_out[name] = found
                else:
                    streams[name] = found
    if not streams:
        why = "; ".join(f"{name}: {reason}" for name, reason in list(left_out.items())[:3])
        raise Fatal(f"no operation of the WSDL answers a list: write the stream by hand. {why}".rstrip(". "))
    parts = urlsplit(address)
    marks = [
        Mark("connection", f"its host is {parts.scheme}://{parts.netloc}" if parts.netloc else "its host"),
        Mark("wsdl", "the path at which the service shows it, or the name of a file in catalog/wsdl"),
        Mark("auth", "how it lets us in: the WSDL does not say"),
    ]
    asked = urlsplit(origin.location)
    wsdl = f"{asked.path}?{asked.query}".rstrip("?") if origin.is_web else f"{parts.path or '/'}?wsdl"
    return Draft(
        "soap", f"SOAP service {next(iter(service.wsdl.services), origin.stem)}", list(streams.values()),
        {"kind": "none"}, {"wsdl": wsdl}, tuple(marks), tuple(f"{name}: {why}" for name, why in left_out.items()),
    )  # fmt: skip


def _stream(name: str, operation: _Operation) -> DraftStream | str:
    """The operation's stream, or why it is none."""
    if verb := writes(name):
        return f"by its name ({verb}) it changes something"
    row = _repeated(operation.output.body, _DEEPEST)
    if row is None:
        return "its answer has no list: a look-up, or something done"
    fields, marks = fields_of(Given(part, _kind(each), not each.is_optional) for part, each in _parts(row))
    keys = guessed_keys(fields, re.sub(r"^(get|list|find|search|pobierz)_", "", stream_name(name)))
    marks.append(Mark("primary_key", "it is a guess" if fitting(keys) else "nothing in the records looks like a key"))
    params, about = _params(operation.input.body)
    marks += about
    going_on = _following(operation, row)
    params = {name: value for name, value in params.items() if name != going_on.get("parameter")}
    marks += [Mark("next", "it is a guess, by the names of parameters and elements")] if going_on else []
    stamp = guessed_cursor(fields)
    request: dict[str, Value] = {"operation": name} | ({"params": params} if params else {})
    marks.append(Mark("request", "that it changes nothing at the source"))
    if not stamp:
        marks.append(Mark("", "no field says when a record was changed"))
    return DraftStream(
        name=stream_name(name),
        title=name,
        fields=fields,
        keys=keys,
        request=request,
        records=str(row.name),
        following=going_on,
        cursor={"fields": [stamp]} if stamp else {},
        marks=tuple(marks),
    )


def _params(element: Element | None) -> tuple[dict[str, Value], list[Mark]]:
    """What is sent: the window where a date is asked for, a size of pages; and what to check of that."""
    params: dict[str, Value] = {}
    marks: list[Mark] = []
    unknown: list[str] = []
    for name, part in _parts(element):
        kind, needed = _kind(part), not part.is_optional
        dated = kind in ("date", "timestamp") or (kind == "text" and "date" in name.lower())
        if _SIZE.match(name) and kind in _COUNTING:
            params[name] = USUAL_SIZE
            marks.append(Mark("request", f"how many {name} may ask for"))
        elif _PAGE.match(name) and kind in _COUNTING:
            params[name] = "0" if _OFFSET.search(name) else "1"  # until `next` takes it
        elif (dated or kind == "text") and (_FROM.match(name) or _TO.match(name)):
            end = "end" if _TO.match(name) and not _FROM.match(name) else "start"
            params[name] = {"start": "{first_day}", "end": "{last_day}"}[end] if kind == "date" else f"{{{end}}}"
            marks.append(Mark("request", f"that {name} means changed {'since' if end == 'start' else 'until'} then"))
        elif needed:
            unknown.append(name)
            if kind != "json":
                params[name] = "TODO"
    if unknown:
        marks.append(Mark("request", f"what to send as {', '.join(unknown)}"))
    return params, marks


def _following(operation: _Operation, row: Element) -> dict[str, Value]:
    """How pages go on: a token that the answer gives and a parameter takes, or a page's number or offset."""
    asked = {name: _kind(part) for name, part in _parts(operation.input.body) if _kind(part) in _COUNTING}
    beside = list(_scalars(operation.output.body, row, _DEEPEST))
    token = next((name for name in beside if _NEXT_TOKEN.fullmatch(name)), None)
    takes = next((name for name in asked if _TOKEN.fullmatch(name)), None)
    if token and takes:
        return {"kind": "token", "path": token, "parameter": takes}
    page = next((name for name in asked if _PAGE.match(name)), None)
    if page is None:
        return {}
    is_offset = bool(_OFFSET.search(page))
    given: dict[str, Value] = {"kind": "offset" if is_offset else "number", "parameter": page}
    given["first"] = 0 if is_offset else 1
    for key, shape in (("total", _TOTAL), ("pages", _TOTAL_PAGES), ("more", _MORE)):
        if found := next((name for name in beside if shape.fullmatch(name)), None):
            given[key] = found
            break
    return given


def _scalars(element: Element | None, row: Element, deeper: int) -> Iterator[str]:
    """The names of what the answer has beside its rows."""
    for name, part in _parts(element) if deeper else ():
        if part is row or part.accepts_multiple:
            continue
        if isinstance(part.type, ComplexType):
            yield from _scalars(part, row, deeper - 1)
        else:
            yield name


def _repeated(element: Element | None, deeper: int) -> Element | None:
    """The first element, from outside in, that may come many times and has parts."""
    if element is None or deeper == 0:
        return None
    parts = _parts(element)
    for _, part in parts:
        if part.accepts_multiple and isinstance(part.type, ComplexType) and part.type.elements:
            return part
    return next((found for _, part in parts if (found := _repeated(part, deeper - 1))), None)


def _parts(element: Element | None) -> list[tuple[str, Element]]:
    if element is None or not isinstance(element.type, ComplexType):
        return []
    return [(name, part) for name, part in element.type.elements if isinstance(part, Element)]


def _kind(element: Element) -> str:
    if isinstance(element.type, ComplexType) or element.accepts_multiple:
        return "json"
    return next((kind for each, kind in _TYPES if isinstance(element.type, each)), "text")
