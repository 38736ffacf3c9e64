"""Takes a SOAP message out of its MTOM frame: a multipart/related body, its lines ended by CRLF or by LF."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from email.message import Message
from typing import BinaryIO
from urllib.parse import unquote

from lxml import etree

from onefold.connectors import safe_xml
from onefold.http.attempt import BadBody
from onefold.http.spool import CHUNK, Spool, chunks

XOP = "http://www.w3.org/2004/08/xop/include"


@dataclass(frozen=True, slots=True)
class _Part:
    id: str
    content: BinaryIO


def unwrapped(content_type: str, body: BinaryIO) -> BinaryIO:
    """The SOAP envelope of a body: itself, or the root part of its MTOM frame with every xop:Include filled in.

    Frames: W3C MTOM 1.0 and XOP 1.0 over RFC 2387. Raises BadBody when the frame is cut off or a part is missing.
    """
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_type() != "multipart/related":
        return body
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        raise BadBody("a multipart body without a boundary")
    body.seek(0)
    parts = _parts(body, b"--" + boundary.encode())
    start = header.get_param("start")
    root = next((part for part in parts if part.id == start), parts[0]) if start else parts[0]
    return _included(root.content, {part.id.strip("<>"): part.content for part in parts})


def _parts(body: BinaryIO, delimiter: bytes) -> list[_Part]:
    """The parts between the delimiters, each of which is a line of its own; its line's end before it is its own too."""
    parts: list[_Part] = []
    content, encoding, held, new_line = None, "", b"", True
    while line := body.readline(CHUNK):
        mark = line.removeprefix(delimiter).strip() if new_line and line.startswith(delimiter) else None
        new_line = line.endswith(b"\n")
        if mark in (b"", b"--"):
            if content:
                parts[-1] = _Part(parts[-1].id, _decoded(content.rewound(), encoding))
            if mark and parts:
                return parts
            if mark:
                raise BadBody("a multipart body without parts")
            headers = _headers(body, delimiter)
            content, encoding, held = Spool(), headers.get("content-transfer-encoding", "").lower(), b""
            parts.append(_Part(headers.get("content-id", ""), content))
        elif content:
            text = held + line
            held = next((end for end in (b"\r\n", b"\n", b"\r") if text.endswith(end)), b"")
            content.write(text.removesuffix(held))
    raise BadBody("a multipart body that is cut off")


def _headers(body: BinaryIO, delimiter: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    while (line := body.readline(CHUNK)).strip():
        if line.startswith(delimiter):
            break
        name, _, value = line.decode("latin-1").partition(":")
        found[name.strip().lower()] = value.strip()
    if line.strip() or not line:
        raise BadBody("a multipart body with a part that has no content")
    return found


def _decoded(content: BinaryIO, encoding: str) -> BinaryIO:
    if encoding != "base64":
        return content
    decoded, left = Spool(), b""
    try:
        for chunk in chunks(content):
            digits = left + b"".join(chunk.split())
            whole = len(digits) - len(digits) % 4
            decoded.write(binascii.a2b_base64(digits[:whole]))
            left = digits[whole:]
        decoded.write(binascii.a2b_base64(left))
    except binascii.Error:
        raise BadBody("a multipart body with a part that is not base64") from None
    return decoded.rewound()


def _included(envelope: BinaryIO, parts: dict[str, BinaryIO]) -> BinaryIO:
    """What an envelope with attachments says as a whole; it is held in memory, as its attachments are."""
    if not _mentions(envelope, XOP.encode()):
        return envelope
    root = safe_xml.tree(envelope)
    for include in list(root.iter(f"{{{XOP}}}Include")):
        content = parts.get(unquote(include.get("href", "").removeprefix("cid:")))
        holder = include.getparent()
        if content is None or holder is None:
            raise BadBody("a multipart body without a part that its envelope includes")
        holder.remove(include)
        content.seek(0)
        holder.text = base64.b64encode(content.read()).decode()
    filled = Spool()
    filled.write(etree.tostring(root, encoding="utf-8"))
    return filled.rewound()


def _mentions(file: BinaryIO, text: bytes) -> bool:
    before, found = b"", False
    for chunk in chunks(file):
        if found := text in before + chunk:
            break
        before = chunk[-len(text) :]
    file.seek(0)
    return found
