"""What is remembered about every attempt to reach a system, and what a system answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import SEEK_END, BytesIO
from types import MappingProxyType
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. `path` has no query and `error` no text of the other side: both could hold personal data.

    `status` is HTTP's, or a database's "ok". `milliseconds` runs from the first byte sent to the last byte read; `used`
    and `limit` are the system's own count of a quota, when its answer tells.
    """

    system: str
    stream: str
    method: str
    path: str
    status: int | str | None
    error: str | None
    bytes: int
    milliseconds: int
    at: datetime
    used: int | None = None
    limit: int | None = None


class Response:
    """A whole answer: the body has been read to its announced end. Header names are case-insensitive.

    `file` holds the body, however large, until the answer has been parsed. `cookies` are those that the answer sets.
    """

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes | BinaryIO,
        cookies: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.status = status
        self.headers = headers
        self.cookies = cookies
        self.file: BinaryIO = BytesIO(body) if isinstance(body, bytes) else body
        self.size = self.file.seek(0, SEEK_END)

    @property
    def body(self) -> bytes:
        """All of it at once, for what is read as a whole."""
        self.file.seek(0)
        return self.file.read()

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "")


class BadBody(Exception):
    """Raised by a parse function: the body is not whole or not sound, so the same request is worth another try.

    Its text goes to ops.usage and into error messages: say the shape ("an HTML page"), never a value.
    """


class Later(BadBody):
    """Raised by a parse function: the body says that we ask too much; after so many seconds it can be asked again."""

    def __init__(self, text: str, seconds: float | None) -> None:
        super().__init__(text)
        self.seconds = seconds


def quota(header: str | None) -> tuple[int | None, int | None]:
    """Used and limit of a header such as `Sforce-Limit-Info: api-usage=25/5000 (per-app-api-usage=…)`.

    Source: Salesforce REST API Developer Guide, "Limit Info Header". Gives (None, None) when it says neither.
    """
    found = re.search(r"(?<![0-9])([0-9]{1,18})/([0-9]{1,18})(?![0-9])", header or "")
    return (int(found[1]), int(found[2])) if found else (None, None)
