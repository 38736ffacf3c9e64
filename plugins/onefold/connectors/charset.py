"""JSON in other character sets than UTF-8, which is the only one that it should come in (RFC 8259, 8.1)."""

from __future__ import annotations

import codecs
import re

from onefold.http.attempt import BadBody, Response

_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_BEGINNINGS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\0\0\0": "utf-32-be",
    b"\0": "utf-16-be",
}
_ASCII_ON = frozenset({"utf-8", "ascii"})
_CONTROLS = re.compile("[\x80-\x84\x86-\x9f]")
"""What stands for nothing in a text: where it is met, the bytes were of another character set."""
_AS_BROWSERS_DO = {"iso8859-1": "cp1252"}
"""What says that it is Latin-1 is read as its superset, which is meant (WHATWG Encoding, 4.2)."""


def in_utf8(response: Response, declared: str | None = None) -> Response:
    """The answer with its body in UTF-8, the same one where it is so already.

    `declared` is what the YAML says; else the header Content-Type counts, unless the body is UTF-8 all the same. Raises
    BadBody where the body is in neither: no character is guessed or left out.
    """
    response.file.seek(0)
    start = response.file.read(4)
    marked = next((name for begins, name in _BEGINNINGS.items() if start.startswith(begins)), None)
    if not marked and start[1:2] == b"\0":
        marked = "utf-32-le" if start[2:4] == b"\0\0" else "utf-16-le"
    said = _CHARSET.search(response.content_type)
    charset = declared or marked or (said[1] if said else "utf-8")
    if _name(charset) in _ASCII_ON and not declared:
        return response
    body = response.body
    if not declared and not marked and _is_utf8(body):
        return response
    return Response(response.status, response.headers, _decoded(body, charset).encode())


def charset_of(response: Response) -> str | None:
    """The character set that the header Content-Type names, if anybody knows it."""
    said = _CHARSET.search(response.content_type)
    name = _name(said[1]) if said else None
    return _AS_BROWSERS_DO.get(name, name) if name else None


def _name(charset: str) -> str | None:
    try:
        return codecs.lookup(charset).name
    except LookupError:
        return None


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decoded(body: bytes, charset: str) -> str:
    name = _name(charset)
    try:
        text = body.decode(_AS_BROWSERS_DO.get(name, name)) if name else None
    except (UnicodeError, LookupError):  # of codecs that are no character sets, as base64
        text = None
    if text is None or _CONTROLS.search(text):
        shown = name or "one that nobody knows"
        raise BadBody(
            f"a body that is not in its character set ({shown}): say under answer.encoding in the system's YAML which "
            "one it is in"
        )
    return text
