"""Where Airflow's API server finds the console. A bare ASGI application that imports the pages at the first request:
every Airflow process imports plugins, and a web framework would cost each of them a second.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from onefold.console.views import PREFIX, VIEWS


def external_views() -> list[Mapping[str, object]]:
    """What Airflow's menu shows, each page in a frame of Airflow's UI: the first beside Airflow's own, where one click
    opens it, the others in the menu of plugins."""
    first, *others = VIEWS
    return [
        _view(first[0], "Onefold") | {"nav_top_level": True},
        *(_view(path, title) | {"category": "Onefold"} for path, title in others),
    ]


def _view(path: str, name: str) -> dict[str, object]:
    return {"name": name, "href": f"{PREFIX}/{path}", "destination": "nav", "url_route": f"onefold-{path}"}


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
