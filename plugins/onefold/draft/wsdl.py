"""A draft from a SOAP service's WSDL: every operation whose answer has parts is a stream."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import zeep
from zeep.xsd import AnySimpleType, ComplexType, Element

from onefold.draft.model import Draft, DraftStream, Fields, Value, field_of, guessed_cursor, guessed_keys, stream_name
from onefold.errors import Fatal

_TYPES = {
    "int": "integer", "integer": "integer", "long": "integer", "short": "integer", "decimal": "numeric",
    "double": "numeric", "float": "numeric", "boolean": "boolean", "date": "date", "dateTime": "timestamp",
}  # fmt: skip
_DEEPEST = 8


class _OnlyFiles(zeep.Transport):
    """Reads what the WSDL imports from the disk; an import from elsewhere is refused, not fetched."""

    def __init__(self) -> None:
        zeep.Transport.__init__(self)

    def load(self, url: str) -> bytes:
        if urlsplit(url).scheme not in ("", "file"):
            raise Fatal(f"the WSDL imports {url}; save that file next to the WSDL and import it from there")
        return Path(urlsplit(url).path).read_bytes()


class _Message(Protocol):
    body: Element | None


class _Operation(Protocol):
    """What zeep has for an operation of a binding."""

    input: _Message
    output: _Message


def wsdl_draft(path: Path) -> Draft:
    """Raises Fatal when the file is no WSDL, or no operation of it answers anything with parts."""
    try:
        service = zeep.Client(str(path), transport=_OnlyFiles(), settings=zeep.Settings(forbid_dtd=True))
    except (zeep.exceptions.XMLSyntaxError, zeep.exceptions.Error) as error:
        raise Fatal(f"{path.name} cannot be read as a WSDL: {str(error).splitlines()[0]}") from error
    found: dict[str, DraftStream] = {}
    for each in service.wsdl.services.values():
        for port in each.ports.values():
            for name, operation in port.binding._operations.items():  # zeep has no public list of them
                stream = _stream(name, operation)
                if stream and name not in found:
                    found[name] = stream
    if not found:
        raise Fatal("no operation of the WSDL answers elements with parts: write the stream by hand")
    return Draft("soap", f"SOAP service {path.stem}", list(found.values()), more={"wsdl": "/check?wsdl"})


def _stream(name: str, operation: _Operation) -> DraftStream | None:
    row = _repeated(operation.output.body, _DEEPEST)
    alone = row is None
    row = operation.output.body if row is None else row
    if row is None or not _parts(row):
        return None
    fields: Fields = {
        part: field_of(part, _kind(element), required=not element.is_optional) for part, element in _parts(row)
    }
    params: dict[str, Value] = {part: "{start}" for part, _ in _parts(operation.input.body)}
    stamp = guessed_cursor(fields)
    request: dict[str, Value] = {"operation": name} | ({"params": params} if params else {})
    return DraftStream(
        name=stream_name(name),
        title=name,
        fields=fields,
        keys=guessed_keys(fields),
        request=request,
        records=str(row.name),
        cursor={"fields": [stamp]} if stamp else {},
        doubts=(
            "primary_key is a guess",
            *(["what to send in the parameters"] if params else []),
            *(["it answers one record: is it a look-up?"] if alone else []),
        ),
    )


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
    if not isinstance(element.type, AnySimpleType):
        return "text"
    names = [getattr(each, "name", "") for each in type(element.type).__mro__]
    return next((_TYPES[name] for name in [element.type.name, *names] if name in _TYPES), "text")
