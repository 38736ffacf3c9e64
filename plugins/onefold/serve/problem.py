"""What the API answers when it cannot do what it was asked: problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from onefold.serve.json_text import encode

MEDIA_TYPE = "application/problem+json"

TITLES = {
    "bad-request": "The request is not one that the API understands",
    "not-signed-in": "No valid key or token came with the request",
    "not-allowed": "The client has not the scope for this",
    "not-found": "The register says that there is no such thing",
    "no-such-page": "There is nothing at this address",
    "wrong-method": "The address does not take this method",
    "conflict": "The request contradicts an earlier one",
    "too-large": "The body is too large",
    "too-many-requests": "The client's rate or monthly quota is used up",
    "register-unavailable": "The register does not answer, and nothing is known here",
    "not-set-up": "This part of the API is not set up",
    "failed": "The API has failed",
    "warehouse-down": "The warehouse does not answer",
}


class Problem(Exception):
    """A request that is answered with a problem. `detail` says what is wrong and what to do; it quotes no personal
    data."""

    def __init__(self, status: int, name: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer."""
        body = {
            "type": f"/docs#{self.name}",
            "title": TITLES[self.name],
            "status": self.status,
            "detail": self.detail,
        }
        return Response(encode(body), self.status, self.headers, MEDIA_TYPE)
