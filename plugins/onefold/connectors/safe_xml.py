"""XML from outside, read without DTDs, entities and network: as one tree when small, as rows when large.

Every document is converted to UTF-8, and expat reads what stands before its first element (as_utf8), where it reports
a DTD. So neither lxml nor expat has an entity to resolve, and neither guesses the encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import SEEK_CUR, TextIOWrapper
from typing import BinaryIO, TypedDict, Union
from xml.parsers import expat

from lxml import etree

from onefold.http.attempt import BadBody
from onefold.http.spool import CHUNK, Spool, chunks

Value = Union[str, None, "Row", list["Value"]]
Row = dict[str, Value]

_DECLARATION = re.compile(rb"""<\?xml(?=\s)(?:[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["'])?[^>]*>""")
_BEGINNINGS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"<\0\0\0": "utf-32-le",
    b"\0\0\0<": "utf-32-be",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
"""How documents begin in encodings of several bytes a character: byte order marks, and "<" where there is none."""
_WEB_PAGE = re.compile(rb"<!doctype\s+html|<html", re.IGNORECASE)
LONGEST_ROW = 64 * 1024**2
"""Bytes of one row."""
MOST_TAGS = 1_000_000
"""Of one row: they are held as objects, each many times as large as what stands in the document."""
LONGEST_TAG = 8 * 1024**2
"""Bytes of one tag or comment: expat holds it until its end."""
DEEPEST = 10_000
"""Elements within each other outside of rows."""
_NIL = "http://www.w3.org/2001/XMLSchema-instance}nil"


class _ParserOptions(TypedDict):
    resolve_entities: bool
    no_network: bool
    load_dtd: bool
    huge_tree: bool
    encoding: str


# The encoding is as_utf8's to judge: the parser must not read a declaration in another way.
_SAFE = _ParserOptions(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, encoding="utf-8")


def as_utf8(file: BinaryIO) -> BinaryIO:
    """The document in UTF-8, read from its first character on; the same file unless it was in another encoding.

    Raises BadBody when it is empty, a web page or has a DTD.
    """
    file.seek(0)
    head = _first(file)
    encoding = next((name for begins, name in _BEGINNINGS.items() if head.startswith(begins)), None)
    declared = _DECLARATION.match(head)
    if not encoding and declared and declared[1] and declared[1].lower() not in (b"utf-8", b"utf-16"):
        encoding = declared[1].decode()
    if encoding:
        file = _transcoded(file, encoding)
        head = _first(file)
    if not head:
        raise BadBody("an empty body instead of XML")
    if _WEB_PAGE.match(head):
        raise BadBody("a web page instead of XML")
    _read_prolog(head)
    return file


class _FirstElementError(Exception):
    """The prolog is over."""


def _read_prolog(head: bytes) -> None:
    """Raises BadBody unless the document's first element begins within `head`, and no DTD before it."""
    parser = expat.ParserCreate("utf-8")

    def doctype(*_: object) -> None:
        raise BadBody("XML with a DTD, which is never read")

    def element(*_: object) -> None:
        raise _FirstElementError

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = element
    try:
        parser.Parse(head, False)
    except _FirstElementError:
        return
    except expat.ExpatError as error:
        raise _malformed(error.lineno) from None
    raise BadBody(f"no XML, or XML whose first element does not begin within {CHUNK >> 10} KiB")


def tree(file: BinaryIO) -> etree._Element:
    """The root element. Raises BadBody when the document is not whole, or not well-formed."""
    try:
        return etree.parse(as_utf8(file), etree.XMLParser(**_SAFE)).getroot()
    except etree.XMLSyntaxError as error:
        raise _malformed(error.position[0]) from None


def starts(file: BinaryIO) -> Iterator[etree._Element]:
    """Every element as it begins, read no further than is asked for. Raises BadBody as `tree`."""
    try:
        for _, element in etree.iterparse(as_utf8(file), events=("start",), **_SAFE):
            yield element
    except etree.XMLSyntaxError as error:
        raise _malformed(error.position[0]) from None


def rows(
    file: BinaryIO, name: str, beside: dict[str, str] | None = None, wanted: frozenset[str] = frozenset()
) -> Iterator[Row]:
    """Every outermost element with this local name as a row, without namespaces; memory holds a few rows at a time.

    `beside` takes, by their local names, the texts of elements without children that are in no row: of the first
    2,000, and of all that are `wanted`.

    An element is its text, "" when empty, None when nil, a dict when it has children; children of one name become a
    list. Raises BadBody as `tree`.
    """
    reading = _Rows(name, wanted)
    fed = size = tags = 0
    try:
        for chunk in chunks(as_utf8(file)):
            reading.parser.Parse(chunk, False)
            fed += len(chunk)
            if reading.found or not reading.in_row:
                size = tags = 0
            else:
                size, tags = size + len(chunk), tags + chunk.count(b"<")
            if size > LONGEST_ROW or tags > MOST_TAGS or fed - reading.parser.CurrentByteIndex > LONGEST_TAG:
                raise BadBody(
                    f"XML with a record of more than {LONGEST_ROW >> 20} MiB or {MOST_TAGS} tags, or a tag of more "
                    f"than {LONGEST_TAG >> 20} MiB"
                )
            yield from reading.found
            reading.found.clear()
        reading.parser.Parse(b"", True)
        yield from reading.found  # newer versions of expat keep the end back until they know that it is one
        if beside is not None:
            beside |= reading.beside.found
    except expat.ExpatError as error:
        raise _malformed(error.lineno) from None


_FEW = 100
_MANY = 2000


class _Beside:
    """The texts of elements without children that are outside the rows; of more than a few no more is held."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.found: dict[str, str] = {}
        self._wanted = wanted
        self._texts: list[str] = []
        self._leaf = False
        self._depth = 0

    def start(self, *, leaf: bool) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadBody(f"XML with elements within each other more than {DEEPEST} times")
        self._texts.clear()
        self._leaf = leaf

    def text(self, text: str) -> None:
        if len(self._texts) < _FEW:
            self._texts.append(text)

    def end(self, name: str) -> None:
        self._depth -= 1
        if self._leaf and (len(self.found) < _MANY or name in self._wanted):
            self.found[name] = "".join(self._texts).strip()
        self._leaf = False


class _Rows:
    """Puts rows together in expat's handlers: there is no tree to be built and pruned."""

    def __init__(self, row_name: str, wanted: frozenset[str]) -> None:
        self.found: list[Row] = []
        self.beside = _Beside(wanted)
        self.in_row = False
        self.parser = parser = expat.ParserCreate("utf-8", "}")
        parser.buffer_text = True
        names = _LocalNames()
        texts: list[str] = []
        # The element around the current one, and those around it, as far as the row.
        around: Row | None = None
        further: list[Row | None] = []
        leaf = nil = False

        def outside(tag: str, attributes: dict[str, str]) -> None:
            self.in_row = is_row = names[tag] == row_name
            self.beside.start(leaf=not is_row)
            if is_row:
                parser.StartElementHandler, parser.EndElementHandler = start, end
                parser.CharacterDataHandler = texts.append
                start(tag, attributes)

        def start(tag: str, attributes: dict[str, str]) -> None:
            nonlocal around, leaf, nil
            if leaf:
                further.append(around)
                around = {}
            leaf, nil = True, False
            if attributes:
                nil = attributes.get(_NIL) in ("true", "1")
            if texts:
                texts.clear()

        def end(tag: str) -> None:
            nonlocal around, leaf
            value: Value
            if not leaf:
                value, around = around, further.pop()
            else:
                value = None if nil else texts.pop() if len(texts) == 1 else "".join(texts)
                leaf = False
            name = names[tag]
            if around is None:
                self.found.append(value if isinstance(value, dict) else {name: value})
                self.in_row = False
                self.beside.end(name)
                wait_for_row()
            elif name not in around:
                around[name] = value
            elif isinstance(held := around[name], list):
                held.append(value)
            else:
                around[name] = [held, value]

        def wait_for_row() -> None:
            parser.StartElementHandler = outside
            parser.EndElementHandler = lambda tag: self.beside.end(names[tag])
            parser.CharacterDataHandler = self.beside.text

        wait_for_row()


class _LocalNames(dict[str, str]):
    def __missing__(self, tag: str) -> str:
        self[tag] = name = tag.rpartition("}")[2]
        return name


def _malformed(line: int) -> BadBody:
    return BadBody(f"XML that is cut off or malformed (line {line})")


def _first(file: BinaryIO) -> bytes:
    """The first characters after the byte order mark and white space; reading goes on from there."""
    start = file.tell()
    if file.read(3) != b"\xef\xbb\xbf":
        file.seek(start)
    for chunk in chunks(file):
        if found := chunk.lstrip():
            file.seek(-len(found), SEEK_CUR)
            head = file.read(CHUNK)
            file.seek(-len(head), SEEK_CUR)
            return head
    return b""


def _transcoded(file: BinaryIO, encoding: str) -> BinaryIO:
    """The document in UTF-8, without the declaration that says otherwise."""
    utf_8 = Spool()
    try:
        text = TextIOWrapper(file, encoding, newline="")
        try:
            head = text.read(CHUNK).lstrip().encode()
            utf_8.write(_DECLARATION.sub(b"", head, count=1) if _DECLARATION.match(head) else head)
            while chunk := text.read(CHUNK):
                utf_8.write(chunk.encode())
        finally:
            text.detach()
    except (UnicodeError, LookupError):
        raise BadBody(f"XML that is not in its declared encoding {encoding!r:.20}") from None
    return utf_8.rewound()
