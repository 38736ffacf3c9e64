"""MTOM framing of a SOAP answer: the envelope as the root part of a multipart/related body.

The real REGON service answers so, now with CRLF and now with bare LF between the MIME lines; a client
that only knows one of the two fails on the other.
"""

import hashlib
from typing import Literal

Framing = Literal["crlf", "lf"]

_NEWLINE: dict[Framing, bytes] = {"crlf": b"\r\n", "lf": b"\n"}


def as_mtom(body: bytes, framing: Framing) -> tuple[bytes, str]:
    """The SOAP envelope as one MIME part, and the Content-Type of the whole.

    The envelope's own bytes stay as they are: only the lines around them are framed. The boundary is
    derived from the envelope, so that the same answer has the same bytes. Raises KeyError for another
    framing than "crlf" or "lf".
    """
    newline = _NEWLINE[framing]
    boundary = f"uuid:{hashlib.sha256(body).hexdigest()[:32]}+id=1"
    head = (
        f"--{boundary}",
        "Content-ID: <http://tempuri.org/0>",
        "Content-Transfer-Encoding: 8bit",
        'Content-Type: application/xop+xml;charset=utf-8;type="application/soap+xml"',
    )
    lines = [line.encode() for line in head]
    multipart = newline.join([*lines, b"", body, f"--{boundary}--".encode(), b""])
    content_type = (
        f'multipart/related; type="application/xop+xml";start="<http://tempuri.org/0>";'
        f'boundary="{boundary}";start-info="application/soap+xml"'
    )
    return multipart, content_type
