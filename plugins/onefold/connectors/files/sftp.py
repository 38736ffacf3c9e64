"""A folder of an SFTP server, read over one connection: LIST a folder, GET a file.

The server's key must be the one that the connection names: a server that answers in its place gets no password.
Names are bytes on the wire, so one that is not UTF-8 stops only itself. Sources: draft-ietf-secsh-filexfer-02 (SFTP 3);
asyncssh, "SFTPClient".
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from posixpath import join
from typing import Self, TypeVar, Unpack
from urllib.parse import unquote, urlsplit

import asyncssh

from onefold.catalog.system import System
from onefold.connectors.files.store import (
    NO_FILE,
    Copy,
    Found,
    Taken,
    Unreadable,
    depth,
    fitting,
    fixed_folder,
    found_as,
    printable,
)
from onefold.errors import Fatal, OnefoldError, Retriable
from onefold.foreign_text import described
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Again
from onefold.http.persistent import AttemptSettings, Outcome, Persistent

T = TypeVar("T")
Question = Callable[[asyncssh.SFTPClient, Outcome], Awaitable[T]]
PIECE = 1 << 20
"""Bytes of a file that are asked for at once."""
DEEPEST = 32
"""How deep folders may lie in each other where the pattern has **/: links can lead in a circle."""


class Sftp:
    """One folder of a server. A context manager that keeps one connection open.

    The connection's login and password, or its extra's private_key (OpenSSH or PEM text; private_key_passphrase); the
    extra's host_key is the server's public key as `ssh-keyscan` prints it, without the host's name; several are
    several lines.
    """

    def __init__(
        self,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> None:
        parts, extra = urlsplit(endpoint.url), endpoint.extra or {}
        self._system, self._endpoint = system, endpoint
        self._host, self._port = parts.hostname or "", parts.port or 22
        self._root = (unquote(parts.path).rstrip("/") or "/").encode()
        self._keys = _host_keys(system, extra.get("host_key"))
        self._own = _private_key(system, endpoint)
        self._way = Persistent(system, endpoint, f"{self._host}:{self._port}", on_attempt, **settings)
        self._loop = asyncio.new_event_loop()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._loop.close()

    def found(self, pattern: str) -> Iterator[Found]:
        """Raises Retriable when the folder is not there: a mount that is gone must not pass for an empty one."""
        fits, fixed = fitting(pattern), fixed_folder(pattern)
        deepest = depth(pattern)
        home = self._ask("LIST", self._real_root)
        ahead = [fixed]
        while ahead:
            folder = ahead.pop()
            for name, there in self._ask("LIST", partial(self._listed, folder=folder, home=home)):
                if there is None:
                    continue
                path = join(folder, name) if folder else name
                if stat.S_ISDIR(there.permissions or 0):
                    if path.count("/") < (DEEPEST if deepest is None else deepest):
                        ahead.append(path)
                    elif deepest is None:
                        raise Fatal(
                            f"{self._system.system}: folders lie in each other more than {DEEPEST} deep. Take the link "
                            "that leads in a circle away, or say in request.path how deep the files lie."
                        )
                elif fits(printable(path)):
                    yield _found(path, there)

    def take(self, file: Found) -> Taken | None:
        try:
            return self._ask("GET", partial(self._taken, file=file))
        except asyncssh.SFTPNoSuchFile:
            return None
        except asyncssh.SFTPError as error:
            raise Unreadable(
                f"the server does not give it ({type(error).__name__}): give the connection's login the right to read "
                "it, have it put there anew, or take it away"
            ) from error

    async def _real_root(self, client: asyncssh.SFTPClient, outcome: Outcome) -> bytes:
        try:
            real = await client.realpath(self._root)
            if stat.S_ISDIR((await client.stat(self._root)).permissions or 0):
                return _bytes(real)
        except asyncssh.SFTPNoSuchFile:
            pass
        raise Retriable(
            f"{self._system.system}: the SFTP server has no folder {printable(os.fsdecode(self._root))}, which the "
            f"Airflow connection {self._system.connection!r} names. Fix the connection's host, or the login's home "
            "folder there; nothing was changed here."
        )

    async def _listed(
        self, client: asyncssh.SFTPClient, outcome: Outcome, folder: str, home: bytes
    ) -> list[tuple[str, asyncssh.SFTPAttrs | None]]:
        """The folder's entries; None in place of what a link that leads out of the root, or nowhere, points to."""
        entries: list[tuple[str, asyncssh.SFTPAttrs | None]] = []
        at = join(self._root, os.fsencode(folder))
        try:
            if folder and not _is_within(await client.realpath(at), home):
                return []
            async for each in client.scandir(at):
                raw = _bytes(each.filename)
                if raw not in (b".", b".."):
                    there = each.attrs
                    if stat.S_ISLNK(there.permissions or 0):
                        entries.append((os.fsdecode(raw), await _followed(client, join(at, raw), home)))
                    else:
                        entries.append((os.fsdecode(raw), there))
        except asyncssh.SFTPNoSuchFile as error:
            if not folder:
                raise Again("the folder is gone") from error
        except asyncssh.SFTPPermissionDenied as error:
            raise Fatal(
                f"{self._system.system}: the login of the Airflow connection {self._system.connection!r} may not list "
                "a folder there, so files in it would be missed: give it the right to, or begin request.path with a "
                "folder beside it. Nothing was changed here."
            ) from error
        except asyncssh.SFTPError as error:
            raise Again(f"a folder cannot be listed ({type(error).__name__})") from error
        return entries

    async def _taken(self, client: asyncssh.SFTPClient, outcome: Outcome, file: Found) -> Taken | None:
        path = join(self._root, os.fsencode(file.name))
        if _tag(await client.stat(path)) != file.tag:
            return None
        copy = Copy(file.size)
        async with client.open(path, "rb") as source:
            while piece := _bytes(await source.read(PIECE)):
                outcome.bytes += len(piece)
                if not copy.add(piece):
                    break
        return copy.whole() if _tag(await client.stat(path)) == file.tag else None

    def _ask(self, verb: str, question: Question[T]) -> T:
        """What `question` finds out, which is asked again over a new connection where this one was lost. It is named
        after the root: people name folders and files after people."""
        path = printable(os.fsdecode(self._root))

        def once() -> T:
            with self._way.attempt(verb, path) as outcome:
                answer = self._loop.run_until_complete(self._asked(question, outcome))
                outcome.status = "ok"
                return answer

        return self._way.persist(self._way.named(verb, path), once)

    async def _asked(self, question: Question[T], outcome: Outcome) -> T:
        try:
            async with asyncio.timeout(self._way.longest):
                return await question(await self._open(), outcome)
        except (Again, OnefoldError):
            raise
        except asyncssh.HostKeyNotVerifiable as error:
            raise Fatal(
                f"{self._system.system}: the server at {self._host}:{self._port} has another key than the one in "
                f"host_key of the Airflow connection {self._system.connection!r}'s extra. Nothing was sent to it. Ask "
                "its operator whether it has been changed, and set the new one (ssh-keyscan prints it)."
            ) from error
        except asyncssh.PermissionDenied as error:
            raise Fatal(
                f"{self._system.system}: the SFTP server does not let us in. Check login, and password or private_key "
                f"(extra) of the Airflow connection {self._system.connection!r}."
            ) from error
        except asyncssh.SFTPError as error:
            if not isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection):
                outcome.status = type(error).__name__
                raise  # the server's answer: what it is about knows what it means
            self._close()
            raise Again(f"the connection failed ({type(error).__name__})") from error
        except (asyncssh.Error, OSError, TimeoutError) as error:
            self._close()
            raise Again(f"the connection failed ({type(error).__name__})", answer=described(str(error))) from error

    async def _open(self) -> asyncssh.SFTPClient:
        if self._client is None:
            self._connection = await asyncssh.connect(
                self._host,
                self._port,
                username=self._endpoint.login or "",
                password=self._endpoint.password if self._own is None else None,
                client_keys=[self._own] if self._own else None,
                known_hosts=(self._keys, [], []),
                agent_path=None,
                config=None,
                connect_timeout=self._way.timeout,
                login_timeout=self._way.timeout,
                keepalive_interval=self._way.timeout,
            )
            self._client = await self._connection.start_sftp_client()
        return self._client

    def _close(self) -> None:
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.abort()


async def _followed(client: asyncssh.SFTPClient, path: bytes, home: bytes) -> asyncssh.SFTPAttrs | None:
    try:
        return await client.stat(path) if _is_within(await client.realpath(path), home) else None
    except asyncssh.SFTPError:
        return None


def _found(name: str, there: asyncssh.SFTPAttrs) -> Found:
    modified = None if there.mtime is None else datetime.fromtimestamp(there.mtime, UTC)
    fault = None if stat.S_ISREG(there.permissions or 0) else NO_FILE
    shown = printable(name)
    return found_as(shown, modified, there.size, _tag(there), fault, is_text=shown == name)


def _is_within(real: bytes | str, home: bytes) -> bool:
    return _bytes(real).startswith(home.rstrip(b"/") + b"/")


def _tag(there: asyncssh.SFTPAttrs) -> str:
    return f"{there.mtime}-{there.size}"


def _bytes(text: bytes | str | None) -> bytes:
    return text if isinstance(text, bytes) else (text or "").encode()


def _host_keys(system: System, text: str | None) -> list[asyncssh.SSHKey]:
    remedy = (
        f"Set host_key in the extra of the Airflow connection {system.connection!r} to the server's public key, as "
        "`ssh-keyscan HOST` prints it and its operator confirms it: `ssh-ed25519 AAAA…`."
    )
    if not text or not text.strip():
        raise Fatal(f"{system.system}: nobody says which key the SFTP server has. {remedy}")
    try:
        return [asyncssh.import_public_key(line.strip()) for line in text.splitlines() if line.strip()]
    except (asyncssh.KeyImportError, ValueError) as error:
        raise Fatal(f"{system.system}: host_key is no public key. {remedy}") from error


def _private_key(system: System, endpoint: Endpoint) -> asyncssh.SSHKey | None:
    extra = endpoint.extra or {}
    if not endpoint.login or not (endpoint.password or extra.get("private_key")):
        raise Fatal(
            f"{system.system}: the Airflow connection {system.connection!r} has no login, or neither a password nor a "
            "private_key in its extra: set them there."
        )
    if not extra.get("private_key"):
        return None
    try:
        return asyncssh.import_private_key(extra["private_key"], extra.get("private_key_passphrase"))
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as error:
        raise Fatal(
            f"{system.system}: private_key in the extra of the Airflow connection {system.connection!r} is no private "
            "key, or private_key_passphrase does not open it: set the whole text of the key's file."
        ) from error
