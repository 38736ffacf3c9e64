"""The console on a real port, for browsers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.requests import Request

from onefold.console.app import console_app
from onefold.console.viewer import Viewer
from onefold.orchestration.duties import Duty

STARTS_WITHIN = 30


@contextmanager
def served(duty: Duty) -> Iterator[str]:
    """The address of the console as somebody with this duty sees it, on a free port of 127.0.0.1."""

    async def who(_: Request) -> Viewer:
        return Viewer("ewa.nowa", duty, "a token")

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(console_app(who), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + STARTS_WITHIN
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the console does not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
