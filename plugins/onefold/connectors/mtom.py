"""Takes a SOAP message out of its MTOM frame: a multipart/related body, its lines ended by CRLF or by LF."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from email.message import Message
from urllib.parse import unquote

from lxml import etree

from onefold.connectors import safe_xml
from onefold.http.attempt import BadBody

XOP = "http://www.w3.org/2004/08/xop/include"


@dataclass(frozen=True, slots=True)
class _Part:
    id: str
    content: bytes


def unwrapped(content_type: str, body: bytes) -> bytes:
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
    parts = _parts(body, boundary.encode())
    start = header.get_param("start")
    root = next((part for part in parts if part.id == start), parts[0]) if start else parts[0]
    return _included(root.content, {part.id.strip("<>"): part.content for part in parts})


def _parts(body: bytes, boundary: bytes) -> list[_Part]:
    # A line of its own: preceded by a line's end (or the body's start), followed by one (or -- after the last part).
    pieces = re.split(rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|$)", body)
    if pieces.count(b"--") == 0:
        raise BadBody("a multipart body that is cut off")
    parts = [_part(piece) for piece in pieces[2 : pieces.index(b"--") : 2]]
    if not parts:
        raise BadBody("a multipart body without parts")
    return parts


def _part(piece: bytes) -> _Part:
    head, blank, content = re.sub(rb"\A\r?\n", b"", piece).partition(b"\n\n")
    crlf_head, crlf_blank, crlf_content = re.sub(rb"\A\r?\n", b"", piece).partition(b"\r\n\r\n")
    if crlf_blank and (not blank or len(crlf_head) < len(head)):
        head, blank, content = crlf_head, crlf_blank, crlf_content
    if not blank:
        raise BadBody("a multipart body with a part that has no content")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.decode("latin-1").splitlines())
    }
    if headers.get("content-transfer-encoding", "").lower() == "base64":
        try:
            content = base64.b64decode(content)
        except binascii.Error:
            raise BadBody("a multipart body with a part that is not base64") from None
    return _Part(headers.get("content-id", ""), content)


def _included(envelope: bytes, parts: dict[str, bytes]) -> bytes:
    if XOP.encode() not in envelope:
        return envelope
    root = safe_xml.tree(envelope)
    for include in list(root.iter(f"{{{XOP}}}Include")):
        content = parts.get(unquote(include.get("href", "").removeprefix("cid:")))
        if content is None:
            raise BadBody("a multipart body without a part that its envelope includes")
        holder = include.getparent()
        holder.remove(include)
        holder.text = base64.b64encode(content).decode()
    return etree.tostring(root, encoding="utf-8")
