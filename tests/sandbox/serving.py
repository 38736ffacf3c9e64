"""A register of the sandbox on a socket of its own, for tests that read it as a client would."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp


@contextmanager
def served(prefix: str, routes: list[Route], behind: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> Iterator[str]:
    """The routes mounted at `prefix` on a free port of 127.0.0.1, `behind` a middleware; gives their URL."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app = behind(Starlette(routes=[Mount(prefix, routes=routes)]))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline, "the server did not start"
            thread.join(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{prefix}"
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the server did not stop"
