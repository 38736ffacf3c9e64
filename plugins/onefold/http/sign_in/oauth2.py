"""OAuth 2: a token of a token server, had once, shared by the client's threads, renewed when it ends or is refused."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote_plus

from authlib.oauth2.rfc6749.parameters import prepare_token_request

from onefold.catalog.auth import JwtBearerAuth, TokenAuth
from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.foreign_text import described
from onefold.http.endpoint import Endpoint
from onefold.http.known_words import known_words
from onefold.http.sign_in.contract import Exchange, Signed, SignIn
from onefold.http.sign_in.fixed import Place, basic
from onefold.http.sign_in.token import REFUSALS, Token, TokenRefused, token_of

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CLIENT_LIFETIME = timedelta(minutes=3)


class Tokens(SignIn):
    """What the grants share; this one is for client credentials."""

    def __init__(self, system: System, endpoint: Endpoint, auth: TokenAuth, exchange: Exchange) -> None:
        super().__init__(system, endpoint)
        self.auth = auth
        self.lock = threading.Lock()
        self.refused: str | None = None
        self._words = known_words(system)
        self._place = Place(
            header=auth.send.header, prefix=auth.send.prefix, query=auth.send.query, cookie=auth.send.cookie
        )
        self._exchange = exchange
        self._token: Token | None = None
        given = self.connection.get("token_url")
        self._address = given or auth.token_path
        self.audience = given or f"{endpoint.url.rstrip('/')}/{auth.token_path.lstrip('/')}"

    def proof(self) -> str:
        """The token; asks for one when there is none, or it ends within a minute."""
        with self.lock:
            if self._token is None or not self._token.is_good:
                self._token = self.new_token()
            return self._token.access

    def sign(self, proof: str | None, method: str, url: str) -> Signed:
        return self._place.signed(proof or "", url, self.connection.named)

    def renew(self, refused: str | None, answer: Mapping[str, str]) -> bool:
        """Forget the token that was refused, unless another thread has."""
        with self.lock:
            if self._token is not None and self._token.access == refused:
                self._token, self.refused = None, refused
        return True

    def in_query(self, proof: str | None) -> str | None:
        return proof if self._place.query else None

    def new_token(self) -> Token:
        """A token for the connection's credentials. Raises Fatal when they, or the request, are refused."""
        return self.ask("client_credentials", self.client("login", "password"))

    def client(self, name: str, secret: str) -> dict[str, str]:
        """Who the client says that it is, from these fields of the connection: what `ask` takes as client."""
        if self.auth.client_auth == "private_key_jwt":
            (client_id,) = self.connection.need(name)
            signed = self.assertion(client_id, client_id, self.audience, _CLIENT_LIFETIME, {})
            return {
                "client_id": client_id,
                "client_assertion_type": _CLIENT_ASSERTION,
                "client_assertion": signed,
            }
        client_id, client_secret = self.connection.need(name, secret)
        return {"client_id": client_id, "client_secret": client_secret}

    def assertion(
        self, issuer: str, subject: str | None, audience: str, lifetime: timedelta, claims: Mapping[str, str]
    ) -> str:
        """A JWT signed with the connection's key: see assertion.py."""
        from onefold.http.sign_in.assertion import assertion  # cryptography takes its time to import

        return assertion(self.connection, self.auth.algorithm, issuer, subject, audience, lifetime, claims)

    def ask(self, grant: str, client: Mapping[str, str], **parameters: str) -> Token:
        """The token server's answer to this grant. Raises Fatal when it refuses, Retriable when it is down."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self.auth.client_auth == "basic" and "client_secret" in client:
            # RFC 6749, 2.3.1: each is encoded as in a form
            headers["Authorization"] = basic(quote_plus(client["client_id"]), quote_plus(client["client_secret"]))
            client = {}
        scope = {"scope": self.auth.scope} if self.auth.scope else {}
        form = prepare_token_request(grant, **{**scope, **self.auth.params, **client, **parameters})
        try:
            return self._exchange("POST", self._address, headers, form.encode(), token_of, REFUSALS)
        except TokenRefused as refusal:
            raise self.refusal(refusal) from None

    def remedy(self, code: str) -> str:
        """What to do about a refusal of the grant with this code of RFC 6749, 5.2."""
        kind, connection = self.connection.kind, f"the Airflow connection {self.connection.name!r}"
        match code:
            case "invalid_scope":
                return "Compare auth.scope in the system's YAML with what the client may ask for"
            case "unauthorized_client" | "unsupported_grant_type" | "invalid_request" | "invalid_target":
                return (
                    f"Have the client registered for {kind}, or compare auth in the system's YAML with what the token "
                    f"server wants; the client is the one of {connection}"
                )
            case _:
                return f"Check the client's id and secret (auth {kind}) in {connection}"

    def refusal(self, refusal: TokenRefused) -> Fatal:
        """What is raised for it."""
        answer = described(refusal.body, self._words)
        told = f" ({answer})" if answer else ""
        where = self._address if self._address.startswith("/") else "to token_url"
        return Fatal(
            f"{self.connection.named}: POST {where} gave no token and was refused with status {refusal.status}{told}. "
            f"{self.remedy(refusal.code)}."
        )


class Password(Tokens):
    """A token for the connection's login and password; the client, where there is one, is in its extra."""

    def new_token(self) -> Token:
        username, password = self.connection.need("login", "password")
        client: dict[str, str] = {}
        if self.connection.get("client_secret") or self.auth.client_auth == "private_key_jwt":
            client = self.client("client_id", "client_secret")
        elif client_id := self.connection.get("client_id"):
            client = {"client_id": client_id}
        return self.ask("password", client, username=username, password=password)

    def remedy(self, code: str) -> str:
        if code == "invalid_grant":
            return f"Check login and password of the Airflow connection {self.connection.name!r}"
        return super().remedy(code)


class JwtBearer(Tokens):
    """A token for an assertion that is signed with the connection's private_key (RFC 7523, 2.1)."""

    def __init__(self, system: System, endpoint: Endpoint, auth: JwtBearerAuth, exchange: Exchange) -> None:
        super().__init__(system, endpoint, auth, exchange)
        self._jwt = auth

    def new_token(self) -> Token:
        issuer, _ = self.connection.need("login", "private_key")
        audience = self._jwt.audience or self.connection.get("audience") or self.audience
        subject = self.connection.get("subject")
        signed = self.assertion(issuer, subject, audience, self._jwt.lifetime, self._jwt.claims)
        client = self.client("login", "password") if self.connection.get("password") else {}
        return self.ask(JWT_BEARER, client, assertion=signed)

    def remedy(self, code: str) -> str:
        if code in ("invalid_grant", "invalid_client"):
            return (
                f"Check login (the issuer), private_key, subject and audience of the Airflow connection "
                f"{self.connection.name!r}, that the subject has let this client in, and this machine's clock"
            )
        return super().remedy(code)
