"""Where a system is, and how it lets us in."""

from __future__ import annotations

from dataclasses import dataclass, field

from onefold.http.token_store import TokenStore


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a system is and how it lets us in (an Airflow connection). Its repr never shows the secret.

    `tokens` is where a refresh token that changes is stored; None where nothing can be (a command, a test).
    """

    url: str
    login: str | None = None
    password: str | None = None
    extra: dict[str, str] | None = None
    tokens: TokenStore | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r}, login={self.login!r})"
