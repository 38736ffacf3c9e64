"""XML from outside, read without DTDs, entities and network: as one tree when small, as rows when large."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Union

from lxml import etree

from onefold.http.attempt import BadBody

Value = Union[str, None, "Row", list["Value"]]
Row = dict[str, Value]

_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["']""")
# Where a DTD may stand: after the declaration, comments and processing instructions, before the first element.
_DOCTYPE = re.compile(rb"(?:\s|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def as_utf8(body: bytes) -> bytes:
    """The document in UTF-8 without a byte order mark. Raises BadBody when it is empty, a web page or has a DTD."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        body = _transcoded(body, "utf-16")
    body = body.removeprefix(b"\xef\xbb\xbf")
    declared = _DECLARED.match(body)
    if declared and declared[1].lower() not in (b"utf-8", b"utf-16"):
        body = _transcoded(body, declared[1].decode())
    if not body.strip():
        raise BadBody("an empty body instead of XML")
    if re.match(rb"\s*(<!doctype\s+html|<html)", body, re.IGNORECASE):
        raise BadBody("a web page instead of XML")
    if _DOCTYPE.match(body):
        raise BadBody("XML with a DTD, which is never read")
    return body


def tree(body: bytes) -> etree._Element:
    """The root element. Raises BadBody when the body is not whole, or not well-formed."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, encoding="utf-8")
    try:
        return etree.fromstring(as_utf8(body).strip(), parser)
    except etree.XMLSyntaxError as error:
        raise BadBody(f"XML that is cut off or malformed (line {error.position[0]})") from None


def rows(body: bytes, name: str) -> Iterator[Row]:
    """Every element with this local name as a row; memory holds one row at a time. Raises BadBody as `tree`."""
    try:
        for _, element in etree.iterparse(
            BytesIO(as_utf8(body).strip()),
            events=("end",),
            tag=f"{{*}}{name}",
            huge_tree=True,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            remove_comments=True,
            encoding="utf-8",
        ):
            if next(element.iterancestors(element.tag), None) is not None:
                continue  # a part of the row around it
            row = as_value(element)
            yield row if isinstance(row, dict) else {name: row}
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise BadBody(f"XML that is cut off or malformed (line {error.position[0]})") from None


def as_value(element: etree._Element) -> Value:
    """An element without namespaces: its text, "" when empty, None when nil, a dict when it has children.

    Children of one name become a list.
    """
    children = list(element.iterchildren(etree.Element))
    if not children:
        return None if element.get(_NIL) in ("true", "1") else "".join(element.itertext(with_tail=False))
    row: Row = {}
    for child in children:
        name, value = etree.QName(child).localname, as_value(child)
        if name not in row:
            row[name] = value
        elif isinstance(held := row[name], list):
            held.append(value)
        else:
            row[name] = [held, value]
    return row


def _transcoded(body: bytes, encoding: str) -> bytes:
    try:
        return body.decode(encoding).encode()
    except (UnicodeDecodeError, LookupError):
        raise BadBody(f"XML that is not in its declared encoding {encoding!r:.20}") from None
