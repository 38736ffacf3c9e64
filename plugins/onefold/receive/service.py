"""The web service: POST /hooks/<system>/<stream>, and /health.

A sender is told 2xx only once its event is durable. What it is told else names no secret and no part of a signature.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from onefold.catalog.webhook import Webhook
from onefold.receive.events import event_id, kept_headers, slack_challenge
from onefold.receive.inbox import Inbox, InboxEvent, StorageDown
from onefold.receive.signatures import is_signed

BODY_SECONDS = 10.0
"""How long a sender may take for its body."""
RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Hook:
    """A stream that events are posted to: how they are signed, and the keys (signing_keys), two while one is rolled."""

    webhook: Webhook
    keys: tuple[bytes, ...] = field(repr=False)


class _TooLarge(Exception):
    pass


def application(
    hooks: Mapping[tuple[str, str], Hook], warehouse_url: str, now: Callable[[], float] = time.time
) -> Starlette:
    """The service for hooks by system and stream. `warehouse_url` is that of the role onefold_receiver."""
    service = _Service(hooks, warehouse_url, now)
    routes = [
        Route("/hooks/{system}/{stream}", service.receive, methods=["POST"]),
        Route("/health", service.health, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=service.lifespan)


class _Service:
    def __init__(self, hooks: Mapping[tuple[str, str], Hook], url: str, now: Callable[[], float]) -> None:
        self._hooks = hooks
        self._url = url
        self._now = now
        self._answered: Counter[str] = Counter()

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """The writer lives as long as the service."""
        self._inbox = Inbox(self._url)
        await self._inbox.start()
        try:
            yield
        finally:
            await self._inbox.stop()

    async def receive(self, request: Request) -> Response:
        """Check, store, answer."""
        response = await self._receive(request)
        self._answered[str(response.status_code)] += 1
        return response

    async def _receive(self, request: Request) -> Response:
        system, stream = request.path_params["system"], request.path_params["stream"]
        hook = self._hooks.get((system, stream))
        if hook is None:
            return _refusal(404, "there is no such hook here")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request, hook.webhook.max_bytes)
        except _TooLarge:
            return _refusal(413, f"the body has more than {hook.webhook.max_bytes} bytes")
        except (TimeoutError, ClientDisconnect):
            return _refusal(408, "the body did not come")
        headers = request.headers
        if not is_signed(hook.webhook, hook.keys, headers, body, self._now()):
            return _refusal(401, "the signature does not fit, or its time is not now")
        if hook.webhook.signature == "slack" and (challenge := slack_challenge(body)) is not None:
            return JSONResponse({"challenge": challenge})
        event = InboxEvent(system, stream, event_id(hook.webhook, headers, body), kept_headers(headers), body)
        try:
            await self._inbox.store(event)
        except StorageDown:
            return _refusal(503, "nothing can be stored now", {"Retry-After": str(RETRY_SECONDS)})
        return Response(status_code=200)

    async def health(self, request: Request) -> Response:
        """200 where events can be stored now, else 503."""
        try:
            await self._inbox.check()
        except StorageDown:
            return _refusal(503, "nothing can be stored now", {"Retry-After": str(RETRY_SECONDS)})
        figures = {"hooks": len(self._hooks), "stored": self._inbox.stored, "answers": dict(self._answered)}
        return JSONResponse({"status": "ok", **figures})


async def _body(request: Request, most: int) -> bytes:
    """Raises _TooLarge before more than that is held."""
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > most:
        raise _TooLarge
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise _TooLarge
        parts.append(part)
    return b"".join(parts)


def _refusal(status: int, why: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": why}, status, headers)
