"""What every kind of sign-in does for the client, and where each takes what the Airflow connection holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.http.attempt import Response
from onefold.http.blanking import Blank
from onefold.http.endpoint import Endpoint

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Signed:
    """A request that is let in: its address, and the headers to add. Its repr shows no secret."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class Handshake(Protocol):
    """Messages that go back and forth on one connection until it is let in."""

    def next(self, refusal: Mapping[str, str], certificate: bytes | None) -> str | None:
        """The header Authorization that answers a refusal with these headers; None when there is no answer. The
        certificate is the server's (DER), None without TLS."""
        ...


def _unsigned(url: str) -> Signed:
    return Signed(url, {})


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """What lets one request in, by default as anybody. Its repr shows no secret.

    `sign` lets in an address, each one anew that a redirect leads to; what `blank` blanks stands nowhere in the answer;
    `handshake` lets in the connection, which is then nobody else's until the answer is there.
    """

    sign: Callable[[str], Signed] = _unsigned
    blank: Blank | None = None
    handshake: Handshake | None = None


class Exchange(Protocol):
    """Sends a request that needs no sign-in (it asks for one), as patiently as any other, and gives what `parse` makes
    of the answer. `address` is a path below the connection's host, or an https address of the connection's own extra.
    `parse` also gets the answers whose status is in `accept`."""

    def __call__(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        body: bytes | None,
        parse: Callable[[Response], T],
        accept: frozenset[int] = frozenset(),
    ) -> T: ...


class SignIn:
    """How one client is let in; this one as anybody. Threads may share it. Its repr shows no secret.

    A request is signed in two steps: `proof` has, or gets, what lets it in, and may send requests for that; `sign` puts
    it into one request and sends none.
    """

    def __init__(self, system: System, endpoint: Endpoint) -> None:
        self.connection = Connection(system, endpoint)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.connection.named!r})"

    def proof(self) -> str | None:
        """What lets the next request in. Raises Fatal when the connection lacks what it takes."""
        return None

    def sign(self, proof: str | None, method: str, url: str) -> Signed:
        """The request with the proof in it."""
        return Signed(url, {})

    def access(self, proof: str | None, method: str) -> Access:
        """What lets a request of this method in with the proof."""
        secret = self.in_query(proof)
        return Access(partial(self.sign, proof, method), Blank(secret) if secret else None, self.handshake())

    def renew(self, refused: str | None, answer: Mapping[str, str]) -> bool:
        """Whether the request may be let in when it is sent once more, with another proof than the one that was
        refused; `answer` are the headers of the refusal."""
        return False

    def handshake(self) -> Handshake | None:
        """What lets in the connection itself, for a kind that signs no request."""
        return None

    def has_ended(self, response: Response) -> bool:
        """Whether an answer that is no 401 says that we are not let in any more."""
        return False

    def in_query(self, proof: str | None) -> str | None:
        """What of the proof stands in the address: it is blanked in all answers, which may repeat the address."""
        return None


class Connection:
    """What the Airflow connection holds for a sign-in; what it lacks is named before anything is sent."""

    def __init__(self, system: System, endpoint: Endpoint) -> None:
        self.named = system.system
        self.name = system.connection
        self.kind = system.auth.kind
        self._fields = {"login": endpoint.login, "password": endpoint.password}
        self._extra = endpoint.extra or {}
        self.tokens = endpoint.tokens

    def need(self, *names: str) -> tuple[str, ...]:
        """The values of these fields: login, password, or a name in the extra.

        Raises Fatal that names every one of them that is missing.
        """
        found = {name: self.get(name) for name in names}
        if missing := [self._shown(name) for name, value in found.items() if not value]:
            raise Fatal(
                f"{self.named}: the Airflow connection {self.name!r} has no {' and no '.join(missing)}, and auth "
                f"{self.kind} needs it: set it there."
            )
        return tuple(value or "" for value in found.values())

    def get(self, name: str) -> str | None:
        """The value of a field as in `need`; None when it is not set."""
        return (self._fields[name] if name in self._fields else self._extra.get(name)) or None

    def _shown(self, name: str) -> str:
        return name if name in self._fields else f'"{name}" in its extra'
