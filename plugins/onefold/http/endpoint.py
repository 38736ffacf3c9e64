"""Where a system is, and how it lets us in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a system is and how it lets us in (an Airflow connection). Its repr never shows the secret."""

    url: str
    login: str | None = None
    password: str | None = None
    extra: dict[str, str] | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r}, login={self.login!r})"
