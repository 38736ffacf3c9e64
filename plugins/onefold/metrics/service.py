"""The web service: GET /metrics, for Prometheus, and /health, for who watches the service itself."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from threading import Lock

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from onefold.errors import OnefoldError
from onefold.metrics.text import CONTENT_TYPE

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def page(read: Callable[[], str], token: str | None) -> Callable[[Request], Awaitable[Response]]:
    """What answers a scrape. `read` gives the text of all metrics; with a token, who does not send it as Bearer gets
    nothing."""
    one_at_a_time = Lock()

    def read_alone() -> str:
        with one_at_a_time:
            return read()

    async def metrics(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return PlainTextResponse("the token is missing or wrong\n", 401, {**_HEADERS, "WWW-Authenticate": "Bearer"})
        try:
            text = await run_in_threadpool(read_alone)
        except OnefoldError as error:
            return PlainTextResponse(f"{error}\n", 503, _HEADERS)
        return Response(text, headers={**_HEADERS, "Content-Type": CONTENT_TYPE})

    return metrics


def application(read: Callable[[], str], token: str | None) -> Starlette:
    """The service. Without a token, requests must name this machine, so that no page in a browser reaches the service
    by a name of its own."""

    async def health(request: Request) -> Response:
        """Whether the service answers, and nothing else: a warehouse that is down is no reason to restart it."""
        return PlainTextResponse("up\n", headers=_HEADERS)

    middleware = [] if token else [Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK)]
    routes = [Route("/metrics", page(read, token), methods=["GET"]), Route("/health", health, methods=["GET"])]
    return Starlette(routes=routes, middleware=middleware)
