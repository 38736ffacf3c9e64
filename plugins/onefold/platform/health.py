"""/onefold/health of Airflow's API server: whether the installation runs, for monitors. States only, no sign-in.

A bare ASGI application: every Airflow process imports plugins, and a web framework would cost each of them a second.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from onefold.platform import processes
from onefold.platform.status import PlatformStatus, WatchdogStatus, platform_status, said_by
from onefold.platform.watchdog.journal import Journal, read_journal
from onefold.settings import settings

FRESH_SECONDS = 2
"""How long an answer is given again: whoever asks in a loop costs nothing more."""


class Answer(Protocol):
    """Looks at the installation."""

    def __call__(self) -> tuple[int, bytes]: ...


def health(found: PlatformStatus) -> tuple[int, Mapping[str, object]]:
    """The HTTP status (200, or 503 when something is down or stands still) and the body."""
    return _answer(found.up, {service.name: service.state for service in found.services}, found.watchdog)


def health_of_containers(journal: Journal | None, now: float) -> tuple[int, Mapping[str, object]]:
    """The same where each service is a container, and only the watchdog's journal is known of the others."""
    alive = journal is not None and not journal.is_silent(now)
    said = said_by(journal)
    return _answer(alive and not said.problems, {"watchdog": "up" if alive else "silent"}, said)


def _answer(healthy: bool, services: Mapping[str, str], said: WatchdogStatus) -> tuple[int, Mapping[str, object]]:
    return (200 if healthy else 503), {
        "status": "healthy" if healthy else "unhealthy",
        "services": services,
        "stands_still": [{"kind": problem.kind, "subject": problem.subject} for problem in said.problems],
        "watchdog_looked_at": said.looked_at,
    }


class _Cached:
    def __init__(self) -> None:
        self._until = 0.0
        self._answer = (503, b"")

    def __call__(self) -> tuple[int, bytes]:
        if time.monotonic() > self._until:
            here = settings()
            if processes.recorded(here.home):
                status, body = health(platform_status(here))
            else:
                status, body = health_of_containers(read_journal(here.home), time.time())
            self._answer = status, json.dumps(body, default=str).encode()
            self._until = time.monotonic() + FRESH_SECONDS
        return self._answer


Message = Mapping[str, object]


class HealthPage:
    """The ASGI application; answers GET and HEAD of /health below the prefix that it is mounted at."""

    def __init__(self, answer: Answer | None = None) -> None:
        self._answer = answer or _Cached()

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            return
        path, method = str(scope["path"]).rstrip("/"), str(scope["method"])
        status, body = 404, b"{}"
        if path.endswith("/health") and method in ("GET", "HEAD"):
            status, body = self._answer()
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
