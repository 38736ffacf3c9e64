"""mTLS: a server that asks for a certificate of its own authority, and what of the key is ever written."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from tests.http.calls import SYSTEM, Out
from tests.http.web_server import WebServer

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Identity:
    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def key_pem(self, password: bytes | None = None) -> str:
        hidden = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden).decode()


def identity(name: str, signer: Identity | None = None) -> Identity:
    """A certificate for the name and for 127.0.0.1, signed by `signer`, else by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    own = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    )
    return Identity(own.sign(signer.key if signer else key, hashes.SHA256()), key)


AUTHORITY = identity("authority")
SERVER = identity("server", AUTHORITY)
CLIENT = identity("client", AUTHORITY)
STRANGER = identity("stranger", identity("another authority"))


@contextmanager
def asking_for_certificates(
    folder: Path, wanted: ssl.VerifyMode = ssl.CERT_REQUIRED
) -> Iterator[tuple[str, list[str]]]:
    """A server that lets in whom AUTHORITY has signed for; its URL, and who came."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown = self.connection.getpeercert()
            came.append(dict(pair for each in shown["subject"] for pair in each)["commonName"] if shown else "nobody")
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client without a certificate is part of the tests."""

    (folder / "server.pem").write_text(SERVER.pem + SERVER.key_pem())
    (folder / "authority.pem").write_text(AUTHORITY.pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "authority.pem")
    context.load_cert_chain(folder / "server.pem")
    context.verify_mode = wanted
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.fixture
def trusting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that trusts AUTHORITY."""
    (tmp_path / "trusted.pem").write_text(AUTHORITY.pem)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "trusted.pem"))
    return tmp_path


def out(
    url: str, shown: Identity, *, key: str | None = None, more: dict[str, str] | None = None, **changes: object
) -> Out:
    extra = {"certificate": shown.pem, "private_key": key or shown.key_pem(), **(more or {})}
    return Out(url, endpoint=Endpoint(url, "someone", "pw", extra), auth={"kind": "basic", "mtls": True}, **changes)


def test_the_certificate_of_the_connection_is_shown_beside_any_other_sign_in(trusting: Path) -> None:
    with asking_for_certificates(trusting) as (url, came):
        assert out(url, CLIENT).get() == {}
        secret = out(url, CLIENT, key=CLIENT.key_pem(b"pw"), more={"private_key_password": "pw"})
        assert secret.get() == {}
    assert came == ["client", "client"]


def test_a_server_that_refuses_the_certificate_lets_nobody_in_and_is_named_where_its_reason_arrives(
    trusting: Path,
) -> None:
    with asking_for_certificates(trusting) as (url, came):
        for made in (out(url, STRANGER), Out(url)):
            with pytest.raises((Fatal, Retriable), match="'shop_api'") as failed:
                made.get()  # the end of the connection may arrive before the reason does
            assert isinstance(failed.value, Retriable) or "client certificate" in str(failed.value)
            assert len(made.attempts) <= 4
    assert came == []


def test_a_connection_that_is_cut_within_tls_is_tried_again(trusting: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def cut() -> None:
            for _ in range(4):
                listening.accept()[0].close()

        threading.Thread(target=cut, daemon=True).start()
        made = out(f"https://127.0.0.1:{listening.getsockname()[1]}", CLIENT)
        with pytest.raises(Retriable):
            made.get()
    assert len(made.attempts) == 4


def test_a_server_of_another_authority_is_refused_whatever_we_show(
    trusting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (trusting / "trusted.pem").write_text(STRANGER.pem)
    with (
        asking_for_certificates(trusting) as (url, came),
        pytest.raises(Fatal, match=r"TLS certificate of 127\.0\.0\.1 could not be verified"),
    ):
        out(url, CLIENT).get()
    assert came == []


def test_the_certificate_is_not_shown_to_the_host_of_a_signed_link(trusting: Path, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    with (
        asking_for_certificates(trusting) as (url, came),
        asking_for_certificates(tmp_path / "two", ssl.CERT_OPTIONAL) as (elsewhere, came_elsewhere),
    ):
        made = out(url, CLIENT)
        made.get()
        made.client.fetch(f"{elsewhere}/file", parse=lambda response: response.body)
    assert (came, came_elsewhere) == (["client"], ["nobody"])


@pytest.mark.parametrize("of", ["records", "tombstones", "sweep", "nothing"])
def test_the_certificate_is_shown_to_the_hosts_of_next_pages_wherever_the_yaml_trusts_them(
    trusting: Path, tmp_path: Path, of: str
) -> None:
    (tmp_path / "two").mkdir()
    with (
        asking_for_certificates(trusting) as (url, _),
        asking_for_certificates(tmp_path / "two", ssl.CERT_OPTIONAL) as (second, came),
    ):
        host = second.removeprefix("https://")
        following = {"next": {"kind": "link", "hosts": [host]}}
        given = {
            "records": following,
            "tombstones": {"deletes": {"tombstones": {"request": {"path": "/gone"}, "key": "id", **following}}},
            "sweep": {"deletes": {"sweep": following}},
            "nothing": {},
        }[of]
        made = out(url, CLIENT, streams={"item": SYSTEM["streams"]["item"] | given})
        made.client.send("GET", f"{second}/items", parse=lambda response: response.body, hosts=[host])
    assert came == ["nobody" if of == "nothing" else "client"]


def test_the_key_is_never_in_a_file_that_others_or_a_later_reader_could_use(
    trusting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    load, seen = ssl.SSLContext.load_cert_chain, []

    def noted(context: ssl.SSLContext, file: Path, keyfile: None = None, password: str | None = None) -> None:
        written = file.read_text()
        seen.append((file, file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777))
        assert "BEGIN ENCRYPTED PRIVATE KEY" in written
        assert "BEGIN PRIVATE KEY" not in written
        load(context, file, keyfile, password)

    with asking_for_certificates(trusting) as (url, _):
        monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", noted)
        out(url, CLIENT).get()
    ((file, mode, folder_mode),) = seen
    assert (mode, folder_mode) == (0o600, 0o700)
    assert not file.parent.exists()
    assert file.is_relative_to(tmp_path)
    assert not list(tmp_path.glob("**/client.pem"))


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda extra: extra | {"private_key": STRANGER.key_pem()},
        lambda extra: extra | {"private_key": "no PEM"},
        lambda extra: extra | {"certificate": "no PEM"},
        lambda extra: extra | {"private_key": CLIENT.key_pem(b"pw")},
    ],
    ids=["of another", "no key", "no certificate", "password missing"],
)
def test_a_certificate_that_cannot_be_used_is_named_before_anything_is_sent(
    web: WebServer, spoilt: Callable[[dict[str, str]], dict[str, str]]
) -> None:
    extra = spoilt({"certificate": CLIENT.pem, "private_key": CLIENT.key_pem()})
    with pytest.raises(Fatal, match=r"client certificate cannot be used.*'shop_api'") as failed:
        Out(web.url, endpoint=Endpoint(web.url, None, None, extra), auth={"mtls": True})
    assert "PRIVATE KEY" not in str(failed.value)
    with pytest.raises(Fatal, match='no "certificate" in its extra and no "private_key" in its extra'):
        Out(web.url, endpoint=Endpoint(web.url), auth={"mtls": True})
    assert web.asked == []
