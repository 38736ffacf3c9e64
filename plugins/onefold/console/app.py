"""The console's application: who may see which page, and what is said when one cannot be shown."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import psycopg
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from onefold.console.pages import (
    audit,
    catalogue,
    cost,
    lineage,
    migration,
    operations,
    overview,
    quarantine,
    records,
    replay,
    rollback,
    started,
    widgets,
    write_back,
    write_back_replay,
)
from onefold.console.reading import SECONDS
from onefold.console.render import FOLDER, HEADERS, page
from onefold.console.viewer import Viewer, viewer_of
from onefold.errors import Fatal, Retriable

log = logging.getLogger(__name__)

ROUTERS = (
    overview.router,
    replay.router,
    quarantine.router,
    lineage.router,
    catalogue.router,
    records.router,
    write_back_replay.router,
    write_back.router,
    rollback.router,
    migration.router,
    started.router,
    operations.router,
    cost.router,
    audit.router,
    widgets.router,
)


Who = Callable[[Request], Awaitable[Viewer | None]]


def console_app(who: Who = viewer_of) -> FastAPI:
    """The application. Nobody sees a page, or what pages there are, without having signed in; `who` tells who has."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(BaseHTTPMiddleware, dispatch=_SignedIn(who))
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"))
    app.add_api_route("/", _first_page, include_in_schema=False)
    app.add_exception_handler(Retriable, _not_now)
    app.add_exception_handler(psycopg.Error, _not_now)
    app.add_exception_handler(Fatal, _refused)
    app.add_exception_handler(404, _not_found)
    app.add_exception_handler(403, _not_allowed)
    app.add_exception_handler(RequestValidationError, _misunderstood)
    return app


class _SignedIn:
    """Lets nobody but who has signed in to anything but the style sheet and scripts."""

    def __init__(self, who: Who) -> None:
        self._who = who

    async def __call__(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.viewer = None
        if request.url.path.startswith(f"{request.scope.get('root_path', '')}/static/"):
            return await call_next(request)
        viewer = await self._who(request)
        if viewer is None:
            return page(request, None, "sign_in.html", 401)
        request.state.viewer = viewer
        response = await call_next(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


def _first_page(request: Request) -> RedirectResponse:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/overview")


def _message(request: Request, status: int, title: str, text: str) -> HTMLResponse:
    return page(request, request.state.viewer, "message.html", status, title=title, text=text)


def _not_now(request: Request, error: Exception) -> Response:
    if isinstance(error, psycopg.errors.QueryCanceled):
        text = (
            f"The warehouse did not answer within {SECONDS} seconds. Ask for less (a system, a stream), or try again."
        )
    elif isinstance(error, Retriable):
        text = str(error)
    else:
        log.error("%s: %s %s", request.url.path, type(error).__name__, getattr(error, "sqlstate", None))
        text = "The warehouse refused what this page asks, or is being changed. Try again; else see bin/onefold status."
    return _message(request, 503, "Not now", text)


def _refused(request: Request, error: Exception) -> Response:
    title = "This cannot be shown" if request.method == "GET" else "This was not done"
    return _message(request, 400, title, str(error))


def _not_found(request: Request, _: Exception) -> Response:
    return _message(request, 404, "Not found", "There is no such page, or nothing of this name.")


def _misunderstood(request: Request, error: Exception) -> Response:
    if request.method == "GET" or not isinstance(error, RequestValidationError):
        return _not_found(request, error)
    wrong = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
    return _message(request, 400, "This was not done", f"The form cannot be understood: {wrong}. Nothing was changed.")


def _not_allowed(request: Request, _: Exception) -> Response:
    text = "Your duty does not let you see this page, or do this."
    return _message(request, 403, "Not allowed", text)
