"""What every request to /v1 passes through: who asks, whether it may now, what it is answered, and that it is recorded.

As plain ASGI: an answer is held back until it is recorded, so it has to be whole; none is large.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onefold.errors import raised_at
from onefold.serve.accounting import Accounting, Answered
from onefold.serve.answer_counts import AnswerCounts
from onefold.serve.clients import NOBODY, Client, Clients
from onefold.serve.grouped_calls import Overloaded
from onefold.serve.problem import Problem

log = logging.getLogger(__name__)
LARGEST_BODY = 256 * 1024
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
    "Vary": "Authorization, X-API-Key",
}
Down = psycopg.OperationalError | psycopg.InterfaceError | TimeoutError | Overloaded


@dataclass(slots=True)
class About:
    """What is said of an answer: the company that it is about, whether it shows personal data, and whether it is
    recorded: of those without a valid key so many a second are."""

    company_id: UUID | None = None
    people: bool = False
    recorded: bool = True


@dataclass(slots=True)
class _Held:
    """An answer that has not left yet."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


class Gate:
    """Wraps the application. Addresses outside of /v1 are public and pass."""

    def __init__(self, app: ASGIApp, clients: Clients, accounting: Accounting, counts: AnswerCounts) -> None:
        self._app = app
        self._clients = clients
        self._accounting = accounting
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (scope["path"] == "/v1" or scope["path"].startswith("/v1/")):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        about = About()
        scope.setdefault("state", {})["about"] = about
        client, held = NOBODY, _Held()
        try:
            client = await self._admitted(scope)
            scope["state"]["client"] = client
            await self._app(scope, await _whole(receive), held.send)
        except Problem as problem:
            held = await _answered(problem, scope, receive)
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError, Overloaded) as error:
            log.warning("The warehouse did not serve a request to the register API: %s", type(error).__name__)
            held = await _answered(_down(), scope, receive)
        except Exception as error:  # noqa: BLE001 - nobody is told what the words of an unforeseen fault may quote
            log.error("The register API failed: %s in %s", type(error).__name__, raised_at(error))  # noqa: TRY400
            held = await _answered(Problem(500, "failed", "The fault is logged. Try again later."), scope, receive)
        if scope["method"] == "GET" and held.status == 200:
            _use_etag(scope, held)
        took = round((time.perf_counter() - started) * 1000)
        endpoint = getattr(scope.get("route"), "name", None) or "none"
        answered = Answered(
            client.name, endpoint, about.company_id, about.people, held.status, took, len(held.body)
        )  # fmt: skip
        try:
            if about.recorded:
                await self._accounting.record(answered)
        except (psycopg.Error, TimeoutError, Overloaded) as error:
            log.warning("A request could not be recorded, so it is not answered: %s", type(error).__name__)
            held = await _answered(_down(), scope, receive)
        self._counts.add(held.status, time.perf_counter() - started)
        await _leave(held, send)

    async def _admitted(self, scope: Scope) -> Client:
        try:
            client = await self._clients.client_of(Headers(scope=scope))
        except Problem as unknown:
            try:
                await self._accounting.admit(NOBODY)
            except Problem:
                scope["state"]["about"].recorded = False
            raise unknown from None
        await self._accounting.admit(client)
        return client


async def _whole(receive: Receive) -> Receive:
    """The body at once, so that one that is too large is refused before anything is done. Raises Problem 413."""
    parts, size = [], 0
    async with asyncio.timeout(10):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise Problem(400, "bad-request", "The request ended before its body was whole.")
            size += len(message.get("body", b""))
            if size > LARGEST_BODY:
                raise Problem(413, "too-large", f"The body has more than {LARGEST_BODY:,} bytes.")
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                break
    body: Message = {"type": "http.request", "body": b"".join(parts), "more_body": False}
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return body

    return again


async def _answered(problem: Problem, scope: Scope, receive: Receive) -> _Held:
    held = _Held()
    await problem.response()(scope, receive, held.send)
    return held


def _down() -> Problem:
    return Problem(503, "warehouse-down", "Nothing can be answered now. Try again in 5 s.", {"Retry-After": "5"})


def _use_etag(scope: Scope, held: _Held) -> None:
    """The answer's hash; who has that answer already is sent none."""
    etag = f'"{hashlib.sha256(held.body).hexdigest()[:32]}"'
    known = Headers(scope=scope).get("if-none-match", "")
    MutableHeaders(raw=held.headers)["ETag"] = etag
    if known.strip() == "*" or etag in [each.strip().removeprefix("W/") for each in known.split(",")]:
        held.status, held.body = 304, b""
        held.headers = [each for each in held.headers if each[0].lower() not in (b"content-length", b"content-type")]


async def _leave(held: _Held, send: Send) -> None:
    headers: Any = MutableHeaders(raw=held.headers)
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    await send({"type": "http.response.start", "status": held.status, "headers": held.headers})
    await send({"type": "http.response.body", "body": held.body})
