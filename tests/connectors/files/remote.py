"""Servers of files in this process: SFTP by asyncssh, WebDAV by wsgidav, each over a folder of the test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
from cheroot.wsgi import Server as WsgiServer
from purgatory import SyncCircuitBreakerFactory
from wsgidav.wsgidav_app import WsgiDAVApp

from onefold.catalog.system import System
from onefold.connectors.files.opening import open_store
from onefold.connectors.files.store import Found, Store
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.platform.postgres import free_port

LOGIN, PASSWORD = "onefold", "hush-hush-7"
STREAM = {
    "title": "Entries",
    "request": {"path": "*.csv"},
    "format": {"kind": "csv"},
    "primary_key": ["id"],
    "fields": {"id": "text"},
    "volatile": ["_file"],
}


def office(auth: str = "none") -> System:
    head = {"system": "office", "title": "Office", "protocol": "files", "connection": "office", "schedule": "0 * * * *"}
    limits = {"rate": ["10000/s"], "timeout": "PT5S", "attempts": 2}
    return System.model_validate({**head, "auth": {"kind": auth}, "limits": limits, "streams": {"entry": STREAM}})


@dataclass
class Remote:
    """A server over the folder `root`."""

    root: Path
    endpoint: Endpoint
    system: System
    attempts: list[Attempt] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)
    cut: Callable[[], None] = lambda: None

    def write(self, name: str, content: bytes = b"id\n1\n") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    @contextmanager
    def open(self, endpoint: Endpoint | None = None) -> Iterator[Store]:
        with open_store(
            self.system,
            endpoint or self.endpoint,
            self.attempts.append,
            limiter=MemoryLimiter(),
            stream="entry",
            breakers=SyncCircuitBreakerFactory(default_threshold=100),
            sleep=lambda seconds: None,
        ) as store:
            yield store

    def found(self, pattern: str) -> dict[str, Found]:
        with self.open() as store:
            return {file.name: file for file in store.found(pattern)}


class Failing(asyncssh.SFTPServer):
    """Gives no file whose name begins with an error of SFTP."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        error = path.decode(errors="replace").rpartition("/")[2].split(" ")[0]
        if error.startswith("SFTP"):
            raise getattr(asyncssh, error)("not this one")
        return super().open(path, pflags, attrs)


@contextmanager
def sftp(root: Path) -> Iterator[Remote]:
    """An SFTP server whose root is the folder."""
    key, loop, port = asyncssh.generate_private_key("ssh-ed25519"), asyncio.new_event_loop(), free_port()
    passwords: list[str] = []
    connections: list[asyncssh.SSHServerConnection] = []

    class Login(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.append(conn)

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            passwords.append(password)
            return (username, password) == (LOGIN, PASSWORD)

    authorised = root.parent / "authorized_keys"
    own = asyncssh.generate_private_key("ssh-ed25519")
    authorised.write_bytes(own.export_public_key())
    listening = loop.run_until_complete(
        asyncssh.listen(
            *("127.0.0.1", port),
            server_factory=Login,
            server_host_keys=[key],
            authorized_client_keys=str(authorised),
            sftp_factory=lambda channel: Failing(channel, chroot=str(root)),
        )
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    public = key.export_public_key().decode()
    extra = {"host_key": public, "test_private_key": own.export_private_key(passphrase="open").decode()}
    remote = Remote(root, Endpoint(f"sftp://127.0.0.1:{port}", LOGIN, PASSWORD, extra), office(), passwords=passwords)
    remote.cut = lambda: [loop.call_soon_threadsafe(each.abort) for each in connections] and None
    try:
        yield remote
    finally:
        loop.call_soon_threadsafe(listening.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@contextmanager
def webdav(root: Path) -> Iterator[Remote]:
    """A WebDAV server that has the folder at /dav/share."""
    port = free_port()
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/dav/share": str(root)},
            "simple_dc": {"user_mapping": {"*": {LOGIN: {"password": PASSWORD}}}},
            "http_authenticator": {"accept_digest": False, "default_to_digest": False},
            "verbose": 0,
            "logging": {"enable": False},
        }
    )
    server = WsgiServer(("127.0.0.1", port), app)
    server.prepare()
    server.shutdown_timeout = 0.05
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield Remote(root, Endpoint(f"http://127.0.0.1:{port}/dav/share", LOGIN, PASSWORD), office("basic"))
    finally:
        server.stop()
        thread.join(10)
