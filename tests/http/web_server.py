"""A small web server on a real socket that answers as a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Say:
    """One answer. `announced` is a Content-Length that the body falls short of; `until` is waited for first.

    `drip` is the pause after each byte. `raw` is written piece by piece in place of status line, headers and body, with
    that pause between pieces, for as long as anybody reads it.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None
    hang_up: bool = False
    until: threading.Event | None = None
    drip: float | None = None
    raw: Iterable[bytes] | None = None


@dataclass
class WebServer:
    """What was asked so far, how many connections were opened, and who answers."""

    url: str
    answer: Callable[[Asked], Say]
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def script(self, *answers: Say) -> None:
        """Give these answers one after another, the last one for ever."""
        left = list(answers)
        self.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def serving() -> Iterator[WebServer]:
    """A server on a free port of 127.0.0.1, stopped at the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer

        def setup(self) -> None:
            super().setup()
            web.connections += 1

        def handle_any(self) -> None:
            split = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            params = {name: values[-1] for name, values in parse_qs(split.query).items()}
            asked = Asked(self.command, split.path, params, dict(self.headers.items()), body)
            web.asked.append(asked)
            say = web.answer(asked)
            if say.until is not None:
                say.until.wait(20)
            if say.hang_up:
                self.close_connection = True
                return
            if say.raw is not None:
                self.close_connection = True
                for piece in say.raw:
                    self.wfile.write(piece)
                    self.wfile.flush()
                    time.sleep(say.drip or 0)
                return
            self.send_response(say.status)
            for name, value in say.headers.items():
                self.send_header(name, value)
            if say.status != 204 and "Transfer-Encoding" not in say.headers:
                self.send_header("Content-Length", str(say.announced or len(say.body)))
            self.end_headers()
            if say.drip is not None:
                for byte in say.body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(say.drip)
            elif say.status != 204:
                self.wfile.write(say.body)
            self.close_connection = say.announced is not None

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that hung up before the answer was written is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    web = WebServer(f"http://127.0.0.1:{server.server_address[1]}", lambda _: Say())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
