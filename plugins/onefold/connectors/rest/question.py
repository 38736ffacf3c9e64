"""The requests of one listing: what a window asks for, and what says which page of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from onefold.catalog.paging import NextPage
from onefold.catalog.request import Request
from onefold.catalog.stream import Stream
from onefold.connectors.rest.request_body import RequestBody, Unlike
from onefold.connectors.window import Window
from onefold.connectors.window_text import filled, placeholders
from onefold.errors import Fatal

Value = str | int | msgspec.Raw
"""Of a parameter: a text, a number, or the JSON of a token, which may be anything."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes | str | None


class Question:
    """Writes the requests for the pages of one window."""

    def __init__(self, named: str, stream: Stream, request: Request, following: NextPage, window: Window) -> None:
        values = placeholders(window, stream)
        self._named = named
        self._place = following.place
        self._method = request.method
        self.path = filled(request.path, values)
        self._params = {name: filled(value, values) for name, value in request.params.items()}
        self._headers = {"Accept": "application/json"} | {k: filled(v, values) for k, v in request.headers.items()}
        self._body = RequestBody(request, values)
        if self._body.content_type:
            self._headers = {"Content-Type": self._body.content_type} | self._headers
        self._size: dict[str, Value] = {}
        if following.size_parameter and following.size:
            self._size[following.size_parameter] = following.size

    def page(self, values: Mapping[str, Value]) -> Asked:
        """The request with these parameters besides those that are the same for every page."""
        values = self._size | dict(values)
        if self._place == "body" and values:
            headers = {"Content-Type": "application/json"} | self._headers
            return Asked(self._method, self.path, self._params, headers, self._with(values))
        texts = {name: _text(value) for name, value in values.items()}
        if self._place == "header":
            return Asked(self._method, self.path, self._params, self._headers | self._fit(texts), self._body.content)
        return Asked(self._method, self.path, self._params | texts, self._headers, self._body.content)

    def at(self, address: str) -> Asked:
        """The request for the page at this address: as the first one, with what is no part of an address."""
        first = self.page({})
        return Asked(first.method, address, {}, first.headers, first.body)

    def _with(self, values: Mapping[str, Value]) -> bytes | str:
        """The body with these values."""
        try:
            return self._body.having(values)
        except Unlike:
            raise Fatal(
                f"{self._named}: request.body is no JSON object in which {', '.join(values)} could be put. Compare it "
                "with `next` in the YAML."
            ) from None

    def _fit(self, texts: dict[str, str]) -> dict[str, str]:
        for name, text in texts.items():
            if not (text.isascii() and text.isprintable()):
                raise Fatal(
                    f"{self._named}: its token for the next page cannot be sent in the header {name}: it has "
                    "characters that no header may have. Compare `next` in its YAML with the system's interface."
                )
        return texts


def _text(value: Value) -> str:
    return bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)
