"""Where Airflow's API server finds the console. A bare ASGI application that imports the pages at the first request:
every Airflow process imports plugins, and a web framework would cost each of them a second.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from onefold.console.views import HOME, PREFIX, TAB, TABS, VIEWS, WIDGETS


def external_views() -> list[Mapping[str, object]]:
    """What Airflow's menu shows, each page in a frame of Airflow's UI: the first beside Airflow's own, where one click
    opens it, the others in the menu of plugins. Then the tabs of its pages of DAGs, runs and task instances."""
    first, *others = VIEWS
    return [
        _view(first[0], "Onefold", f"/{first[0]}") | {"nav_top_level": True},
        *(_view(path, title, f"/{path}") | {"category": "Onefold"} for path, title in others),
        *({**_view(kind, TAB, f"{WIDGETS}/{kind}?{query}"), "destination": kind} for kind, query in TABS),
    ]


def react_apps() -> list[Mapping[str, object]]:
    """What Airflow's first page shows. It takes nothing but a React component: ours is a frame with a page."""
    script = f"{PREFIX.removeprefix('/')}/static/home.js"
    return [{"name": HOME, "bundle_url": script, "destination": "dashboard", "url_route": "onefold-home"}]


def _view(route: str, name: str, address: str) -> dict[str, object]:
    return {"name": name, "href": f"{PREFIX}{address}", "destination": "nav", "url_route": f"onefold-{route}"}


class Console:
    """The ASGI application."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._pages()(scope, receive, send)

    def _pages(self) -> ASGIApp:
        with self._lock:
            if self._app is None:
                from onefold.console.app import console_app

                self._app = console_app()
            return self._app
