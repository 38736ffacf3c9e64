"""Sign-ins that do not change: basic, bearer, and an API key in a header or in the query."""

from __future__ import annotations

import base64
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

from onefold.catalog.auth import ApiKeyAuth
from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.http.sign_in.contract import Signed, SignIn


class Basic(SignIn):
    """Login and password with every request."""

    def proof(self) -> str:
        return basic(*self.connection.need("login", "password"))

    def sign(self, proof: str | None, method: str, url: str) -> Signed:
        return Signed(url, {"Authorization": proof or ""})


class Key(SignIn):
    """A key with every request: the connection's password, in a header or in the query."""

    def __init__(self, system: System, endpoint: Endpoint, auth: ApiKeyAuth) -> None:
        super().__init__(system, endpoint)
        self._place = Place(header=auth.header or "Authorization", prefix=auth.prefix, query=auth.query)

    def proof(self) -> str:
        return self.connection.need("password")[0]

    def sign(self, proof: str | None, method: str, url: str) -> Signed:
        return self._place.signed(proof or "", url, self.connection.named)

    def in_query(self, proof: str | None) -> str | None:
        return proof if self._place.query else None


class Bearer(SignIn):
    """The connection's password as a bearer token."""

    def proof(self) -> str:
        return self.connection.need("password")[0]

    def sign(self, proof: str | None, method: str, url: str) -> Signed:
        return Signed(url, {"Authorization": f"Bearer {proof}"})


class Place:
    """Where a request carries a key or a token: in a header, in a cookie or in the query."""

    def __init__(
        self, *, header: str | None = None, prefix: str = "", query: str | None = None, cookie: str | None = None
    ) -> None:
        self._header, self._prefix, self._cookie = header, prefix, cookie
        self.query = query

    def signed(self, secret: str, url: str, named: str) -> Signed:
        """The request with the secret in its place. Raises Fatal for one that no header can carry."""
        if self.query:
            return Signed(with_parameter(url, self.query, secret), {})
        if not secret.isascii() or not secret.isprintable():
            raise Fatal(
                f"{named}: the key that it is to be sent has characters that no header can carry: paste it anew."
            )
        if self._cookie:
            return Signed(url, {"Cookie": f"{self._cookie}={secret}"})
        return Signed(url, {self._header or "Authorization": f"{self._prefix}{secret}"})


def basic(login: str, password: str) -> str:
    """The value of the header Authorization (RFC 7617, in UTF-8)."""
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


def with_parameter(url: str, name: str, value: str) -> str:
    """The address with this query parameter, in place of any of that name: a next address may repeat, blanked, what was
    sent."""
    parts = urlsplit(url)
    others = [each for each in parts.query.split("&") if each and unquote_plus(each.partition("=")[0]) != name]
    return urlunsplit(parts._replace(query="&".join([*others, f"{quote(name, safe='')}={quote(value, safe='')}"])))
