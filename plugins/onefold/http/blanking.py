"""Blanks a secret that stood in a request's address: answers repeat addresses, and what they say is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

MARK = b"***"
SHORTEST = 8
"""Characters. A shorter secret may be an ordinary word: it is blanked where it is a parameter's value only."""


class Blank:
    """Blanks one secret, as it is and as addresses, JSON and HTML write it."""

    def __init__(self, secret: str) -> None:
        written = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
        written |= {each.replace("/", "\\/") for each in written} | {each.replace("&", "&amp;") for each in written}
        forms = sorted((re.escape(each.encode()) for each in written), key=len, reverse=True)
        before, after = (b"", b"") if len(secret) >= SHORTEST else (rb"(?<==)", rb"(?![\w-])")
        self._pattern = re.compile(before + b"(?:" + b"|".join(forms) + b")" + after)
        self._longest = max(len(each.encode()) for each in written) + 1

    def text(self, text: str) -> str:
        """The text of a header."""
        return self.whole(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def whole(self, content: bytes) -> bytes:
        """All of it at once."""
        return self._pattern.sub(MARK, content)

    def pieces(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """What comes piece by piece, also where two pieces share the secret."""
        held = b""
        for piece in pieces:
            content = self.whole(held + piece)
            sure = max(0, len(content) - self._longest)
            yield content[:sure]
            held = content[sure:]
        yield self.whole(held)
