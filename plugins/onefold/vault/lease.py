"""A login of the warehouse's that the vault makes for this process: renewed while it lives, revoked when it ends.

The database drops such a login when its lease ends. A session that is open goes on without it; who connects after that
needs the next one. So whoever connects asks for the newest (`current`), however long ago their URL was made.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from onefold.errors import Fatal, OnefoldError
from onefold.vault.backend import VaultBackend, vault

log = logging.getLogger(__name__)
SETTING = "ONEFOLD_DATABASE_CREDENTIALS"
RENEWALS = 3
"""In each lease's time, so that a vault may be away for half of it."""


@dataclass(frozen=True)
class Lease:
    """One login, good for so many seconds from when it was made or renewed."""

    lease_id: str
    user: str
    password: str = field(repr=False)
    seconds: float


class LeasedLogin:
    """The login of this process at one path of a vault, such as database/creds/onefold-loader.

    Raises Fatal when the vault refuses it, Retriable when the vault is down.
    """

    def __init__(self, backend: VaultBackend, path: str) -> None:
        self._backend, self._path = backend, path
        self._leases: list[Lease] = []
        self._ends = 0.0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._take()
        atexit.register(self.close)
        threading.Thread(target=self._keep, name="lease", daemon=True).start()

    def url(self, url: str) -> str:
        """The URL, as the newest login."""
        if self._is_over():
            with self._lock:
                if self._is_over():  # the vault was away for too long, or this machine slept
                    self._take()
        lease = self._leases[-1]
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{quote(lease.user, '')}:{quote(lease.password, '')}@{place}"))

    def made(self, url: str) -> bool:
        """Whether the URL is of a login that was made here."""
        user = unquote(urlsplit(url).username or "")
        return any(lease.user == user for lease in self._leases)

    def close(self) -> None:
        """Have all logins of this process revoked; those that the vault does not revoke now end with their lease."""
        if self._closed.is_set() or self._pid != os.getpid():
            return
        self._closed.set()
        for lease in self._leases:
            try:
                self._revoke(lease.lease_id)
            except OnefoldError as error:
                log.warning("A login of the warehouse's ends by itself, in %.0f s at most: %s", lease.seconds, error)

    @property
    def _what(self) -> str:
        return f"A login of the warehouse's ({SETTING}={self._path})"

    def _is_over(self) -> bool:
        return not self._closed.is_set() and time.monotonic() >= self._ends

    def _revoke(self, lease_id: str) -> None:
        self._backend.ask(f"{self._what} is given back", lambda client: client.sys.revoke_lease(lease_id))

    def _take(self) -> None:
        asked = time.monotonic()
        answer: Any = self._backend.ask(self._what, lambda client: client.read(self._path))
        try:
            lease = Lease(
                answer["lease_id"],
                answer["data"]["username"],
                answer["data"]["password"],
                float(answer["lease_duration"]),
            )
        except (KeyError, TypeError) as error:
            raise Fatal(
                f"{self._what}: the vault has no database credentials there. Write the path as "
                "database/creds/<role>, and make the role (docs/secrets.md)."
            ) from error
        self._pid, self._ends = os.getpid(), asked + lease.seconds
        self._leases.append(lease)

    def _keep(self) -> None:
        while not self._closed.wait(self._leases[-1].seconds / RENEWALS):
            try:
                self._renew()
            except OnefoldError as error:
                left = max(0.0, self._ends - time.monotonic())
                log.warning("The warehouse's login is good for %.0f s more and was not renewed: %s", left, error)

    def _renew(self) -> None:
        """Or make the next one, when this one, or the token that it hangs on, cannot last another such time."""
        lease, asked = self._leases[-1], time.monotonic()
        enough = 2 * lease.seconds / RENEWALS
        if self._token_lasts() < enough:
            self._backend.sign_in_anew()
            with self._lock:
                self._take()
            return
        answer = self._backend.ask(
            f"{self._what} is renewed",
            lambda client: client.sys.renew_lease(lease.lease_id, increment=round(lease.seconds)),
        )
        self._ends = asked + float(answer["lease_duration"])
        if answer["lease_duration"] < enough:
            with self._lock:
                self._take()

    def _token_lasts(self) -> float:
        """Seconds, after renewing it where it can be."""
        token = self._backend.ask(f"{self._what} is renewed", lambda client: client.auth.token.lookup_self())["data"]
        if token.get("renewable"):
            renewed = self._backend.ask("The vault's token is renewed", lambda client: client.auth.token.renew_self())
            return float(renewed["auth"]["lease_duration"])
        return float(token["ttl"]) or float("inf")  # 0: it has no end


_logins: dict[tuple[int, str], LeasedLogin] = {}
_making = threading.Lock()


def leased(url: str, path: str) -> str:
    """The URL, as this process's login from this path; a forked process gets one of its own."""
    with _making:
        key = os.getpid(), path
        if key not in _logins:
            _logins[key] = LeasedLogin(vault(SETTING), path)
    return _logins[key].url(url)


def current(url: str, path: str) -> str:
    """The URL as the newest login, if it is of an older one of this process; else as it is."""
    login = _logins.get((os.getpid(), path))
    return login.url(url) if login and login.made(url) else url
