"""A token as its server gives it (RFC 6749, 5.1), and its refusals (5.2)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import msgspec

from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Later, Response

REFUSALS = frozenset({400, 401, 403})
"""The statuses of a token server's answers that say why."""
LEEWAY = 60.0
"""Seconds before its end in which a token is no longer used."""
_PASSING = frozenset({"temporarily_unavailable", "server_error", "slow_down", "rate_limit_exceeded"})
_MEMBERS = ("access_token", "expires_in", "refresh_token", "error")


@dataclass(frozen=True, slots=True)
class Token:
    """What lets requests in until `ends` (seconds since 1970; None: until it is refused), and what renews it."""

    access: str = field(repr=False)
    ends: float | None = None
    refresh: str | None = field(default=None, repr=False)

    @property
    def is_good(self) -> bool:
        return self.ends is None or self.ends - LEEWAY > time.time()


class TokenRefused(Fatal):
    """The token server refused for good; `code` is what it calls the error (RFC 6749, 5.2), '' where it says none."""

    def __init__(self, status: int, code: str, body: bytes) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.code = code
        self.body = body


def token_of(response: Response) -> Token:
    """Read a token answer.

    Raises BadBody when it is not one, Later when the server asks to come back, TokenRefused when it refuses.
    """
    try:
        body = msgspec.json.decode(response.body.removeprefix(b"\xef\xbb\xbf"), type=dict[str, msgspec.Raw])
        given = {name: msgspec.json.decode(body[name]) for name in _MEMBERS if name in body}
    except msgspec.DecodeError as error:
        if response.status in REFUSALS:
            raise TokenRefused(response.status, "", response.body) from error
        raise BadBody("the token answer is not a JSON object") from error
    access, code, refresh = given.get("access_token"), given.get("error"), given.get("refresh_token")
    if code in _PASSING:
        raise Later(f"the token server says {code}", None)
    if response.status in REFUSALS or (code and not access):  # some say it in a 200
        raise TokenRefused(response.status, code if isinstance(code, str) else "", response.body)
    if not isinstance(access, str) or not access:
        raise BadBody("the token answer has no access_token")
    return Token(access, _end(given.get("expires_in")), refresh if isinstance(refresh, str) and refresh else None)


def _end(expires_in: object) -> float | None:
    """When a token ends that is good for so many seconds; some servers write the number as a text."""
    try:
        seconds = float(expires_in) if isinstance(expires_in, int | float | str) else 0.0
    except ValueError:
        return None
    return time.time() + seconds if 0 < seconds < float("inf") else None
