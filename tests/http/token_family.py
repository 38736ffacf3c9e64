"""A token server that gives each refresh token once, and ends the family when one is shown again (RFC 9700, 4.14.2)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

from tests.http.web_server import Asked, Say

AUTH = {"kind": "oauth2_refresh_token", "token_path": "/token"}


class TokenFamily:
    """Begins with the refresh token r0. Each access token lets `uses` requests in; the last one given alone is good."""

    def __init__(self, uses: int = 1000, *, rotates: bool = True) -> None:
        self.lock = threading.Lock()
        self.uses, self.rotates = uses, rotates
        self.given, self.left = 0, 0
        self.refresh: str | None = "r0"
        self.shown: list[str] = []
        self.sent_but_lost = False

    def __call__(self, asked: Asked) -> Say:
        with self.lock:
            return self.token(asked) if asked.path == "/token" else self.page(asked)

    def token(self, asked: Asked) -> Say:
        (shown,) = parse_qs(asked.body.decode())["refresh_token"]
        self.shown.append(shown)
        if shown != self.refresh:
            self.refresh = None
            return Say(400, b'{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}')
        self.given, self.left = self.given + 1, self.uses
        new = {}
        if self.rotates:
            self.refresh = f"r{self.given}"
            new = {"refresh_token": self.refresh}
        return Say(200, json.dumps({"access_token": f"a{self.given}", "expires_in": 3600, **new}).encode())

    def page(self, asked: Asked) -> Say:
        good = asked.headers.get("Authorization") == f"Bearer a{self.given}" and self.left > 0
        self.left -= good
        return Say() if good else Say(401)


class Memory:
    """A store within the process. What is written is there before `write` returns, or `broken` is raised."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.text: str | None = None
        self.broken: Exception | None = None
        self.writes = 0

    @contextmanager
    def exclusive(self) -> Iterator[Memory]:
        with self.lock:
            yield self

    def read(self) -> str | None:
        return self.text

    def write(self, text: str) -> None:
        if self.broken:
            raise self.broken
        self.text, self.writes = text, self.writes + 1
