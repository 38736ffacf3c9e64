"""NTLM sign-in against pyspnego's own server side: three messages on one connection."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import spnego
from cryptography.hazmat.primitives import hashes
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from tests.http.calls import SECRET, Out
from tests.http.test_client_certificate import AUTHORITY, SERVER
from tests.http.web_server import Say, WebServer


class Guarded:
    """Where a server is, and what it has answered."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []


@contextmanager
def guarded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, tls: bool = False, scheme: str = "NTLM"
) -> Iterator[Guarded]:
    r"""A server that lets in DOMAIN\anna with the password SECRET, each connection once, as IIS does."""
    (folder / "users").write_text(f"DOMAIN:anna:{SECRET}\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(folder / "users"))
    seen = Guarded()
    bound = b"tls-server-end-point:" + SERVER.certificate.fingerprint(hashes.SHA256())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        context: spnego.ContextProxy | None = None

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            shown = self.headers.get("Authorization", "").partition(" ")[2]
            if self.context is not None and self.context.complete and not shown:
                return self.say(200)
            if not shown:
                return self.say(401, scheme)
            try:
                if self.context is None:
                    bindings = GssChannelBindings(application_data=bound) if tls else None
                    self.context = spnego.server(protocol="ntlm", channel_bindings=bindings)
                message = self.context.step(base64.b64decode(shown))
            except SpnegoError:
                self.context = None
                return self.say(401, scheme)
            if self.context.complete:
                return self.say(200)
            return self.say(401, f"{scheme} {base64.b64encode(message or b'').decode()}")

        do_POST = do_GET

        def say(self, status: int, challenge: str | None = None) -> None:
            seen.statuses.append(status)
            self.send_response(status)
            if challenge:
                self.send_header("WWW-Authenticate", challenge)
            body = b"{}" if status == 200 else b"<html>no</html>"
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        (folder / "server.pem").write_text(SERVER.pem + SERVER.key_pem())
        (folder / "trusted.pem").write_text(AUTHORITY.pem)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "trusted.pem"))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "server.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    seen.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def out(url: str, password: str = SECRET) -> Out:
    return Out(url, endpoint=Endpoint(url, "DOMAIN\\anna", password), auth={"kind": "ntlm"})


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
def test_a_connection_is_let_in_once_by_three_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with guarded(tmp_path, monkeypatch, scheme=scheme) as seen:
        made = out(seen.url)
        for _ in range(3):
            assert made.get() == {}
        assert seen.statuses == [401, 401, 200, 200, 200]
        assert made.client.send("POST", "/items", body=b"x" * 1000, parse=lambda found: found.status) == 200


def test_over_tls_the_sign_in_is_bound_to_the_servers_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded(tmp_path, monkeypatch, tls=True) as seen:
        assert out(seen.url).get() == {}
        monkeypatch.setattr("onefold.http.sign_in.ntlm._bound_to", lambda certificate: None)
        with pytest.raises(Fatal):
            out(seen.url).get()


def test_threads_do_not_take_each_others_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with guarded(tmp_path, monkeypatch) as seen:
        made = out(seen.url)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(lambda _: made.get(), range(16))) == [{}] * 16
        assert seen.statuses == [401, 401, *[200] * 16]


def test_a_wrong_password_is_fatal_and_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with guarded(tmp_path, monkeypatch) as seen:
        made = out(seen.url, password="wrong")
        with pytest.raises(Fatal, match=r"status 401.*Check login, password.*'shop_api'"):
            made.get()
        assert (seen.statuses, len(made.attempts)) == ([401] * 3, 1)


def test_a_system_that_offers_no_ntlm_is_named(web: WebServer) -> None:
    web.script(Say(401, headers={"WWW-Authenticate": 'Basic realm="NTLM"'}))
    with pytest.raises(Fatal, match="refuses without offering NTLM"):
        out(web.url).get()
    web.script(Say(401, headers={"WWW-Authenticate": "NTLM"}), Say(401, headers={"WWW-Authenticate": "NTLM AAAA"}))
    with pytest.raises(Fatal, match="NTLM cannot go on"):
        out(web.url).get()
    web.asked.clear()
    with pytest.raises(Fatal, match="has no login and no password"):
        Out(web.url, endpoint=Endpoint(web.url), auth={"kind": "ntlm"}).get()
    assert web.asked == []
