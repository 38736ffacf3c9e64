"""The web service: POST /hooks/<system>/<stream>, /health, and a page that shows how it goes.

A sender is told 2xx only once its event is durable. What it is told else names no secret and no part of a signature.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from onefold.receive.accept import Accepted, accept
from onefold.receive.events import kept_headers, slack_challenge
from onefold.receive.hooks import Hook, Hooks, Name
from onefold.receive.inbox import Inbox, InboxEvent, StorageDown
from onefold.receive.live_hooks import LiveHooks
from onefold.receive.microsoft_graph import validation_token
from onefold.receive.salesforce import ACK
from onefold.receive.status_page import Answers, status_page

BODY_SECONDS = 10.0
"""How long a sender may take for its body."""
RETRY_SECONDS = 5


class _TooLarge(Exception):
    pass


def application(read_hooks: Callable[[], Hooks], warehouse_url: str, now: Callable[[], float] = time.time) -> Starlette:
    """The service for the hooks that `read_hooks` gives, now and later. `warehouse_url` is that of the role
    onefold_receiver."""
    service = _Service(LiveHooks(read_hooks), warehouse_url, now)
    routes = [
        Route("/hooks/{system}/{stream}", service.receive, methods=["POST"]),
        Route("/health", service.health, methods=["GET"]),
        Route("/", service.status, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=service.lifespan)


class _Service:
    def __init__(self, hooks: LiveHooks, url: str, now: Callable[[], float]) -> None:
        self._hooks = hooks
        self._url = url
        self._now = now
        self._answers = Answers()

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """The writer, and what keeps the hooks up to date, live as long as the service."""
        self._inbox = Inbox(self._url)
        await self._inbox.start()
        keep_up = asyncio.create_task(self._hooks.keep_up())
        try:
            yield
        finally:
            keep_up.cancel()
            await asyncio.gather(keep_up, return_exceptions=True)
            await self._inbox.stop()

    async def receive(self, request: Request) -> Response:
        """Check, store, answer."""
        name = (request.path_params["system"], request.path_params["stream"])
        hook = self._hooks.known.get(name)
        if hook is None or hook.problem:
            hook = await self._hooks.get_anew(name)
        if hook is None:
            return _refusal(404, "there is no such hook here")
        response = _not_set_up() if hook.problem else await self._receive(request, name, hook)
        self._answers.count(name, response.status_code)
        return response

    async def _receive(self, request: Request, name: Name, hook: Hook) -> Response:
        kind = hook.webhook.signature
        if kind == "microsoft_graph" and (token := validation_token(request.query_params)) is not None:
            return PlainTextResponse(token, headers={"X-Content-Type-Options": "nosniff"})
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request, hook.webhook.max_bytes)
        except _TooLarge:
            return _refusal(413, f"the body has more than {hook.webhook.max_bytes} bytes")
        except (TimeoutError, ClientDisconnect):
            return _refusal(408, "the body did not come")
        accepted = await self._accept(name, hook, request.headers, body)
        if accepted.all and kind == "slack" and (challenge := slack_challenge(body)) is not None:
            return JSONResponse({"challenge": challenge})
        kept = kept_headers(request.headers)
        try:
            await asyncio.gather(
                *(self._inbox.store(InboxEvent(*name, each, kept, part)) for each, part in accepted.events)
            )
        except StorageDown:
            return _refusal(503, "nothing can be stored now", {"Retry-After": str(RETRY_SECONDS)})
        if not accepted.all:
            return _refusal(401, "the signature does not fit, or its time is not now")
        if kind == "salesforce_outbound":
            return Response(ACK, media_type="text/xml")
        return Response(status_code=200)

    async def _accept(self, name: Name, hook: Hook, headers: Mapping[str, str], body: bytes) -> Accepted:
        """What is accepted: by the secrets that are known, else by those that hold now."""
        accepted = accept(hook, headers, body, self._now())
        anew = hook if accepted.all else await self._hooks.get_anew(name)
        if anew is not None and anew != hook:
            accepted = accept(anew, headers, body, self._now())
        return accepted

    async def health(self, request: Request) -> Response:
        """200 where events can be stored now, else 503."""
        try:
            await self._inbox.check()
        except StorageDown:
            return _refusal(503, "nothing can be stored now", {"Retry-After": str(RETRY_SECONDS)})
        ready = [hook for hook in self._hooks.known.values() if not hook.problem]
        return JSONResponse({"status": "ok", "hooks": len(ready), "stored": self._inbox.stored})

    async def status(self, request: Request) -> Response:
        """A page for people: the hooks, and what became of what was posted to them since the start."""
        return status_page(self._hooks, self._inbox, self._answers)


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


def _not_set_up() -> Response:
    """So that senders that try again do, until the connection is there."""
    return _refusal(503, "this hook is not set up yet", {"Retry-After": str(RETRY_SECONDS)})
