"""How a system lets us in: one class a kind, with just the settings that the kind reads (docs/sign-in.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from onefold.catalog.model import Model

_OURS = frozenset(
    {"grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "assertion", "scope"}
    | {"username", "password", "refresh_token"}
)
"""Parameters of a token request that follow from the kind, or that are secrets."""


class _Auth(Model):
    """What every kind over HTTP may have; the secrets themselves are in the Airflow connection."""

    mtls: bool = Field(
        False,
        description="show a client certificate as well: certificate and private_key, PEM texts, of the connection's "
        "extra (private_key_password where the key has one)",
    )


class NoAuth(_Auth):
    """Anybody is let in, or whoever shows the right certificate (mtls)."""

    kind: Literal["none"] = "none"


class BasicAuth(_Auth):
    """The connection's login and password with every request."""

    kind: Literal["basic"]


class DigestAuth(_Auth):
    """The connection's login and password, never sent: each request is signed with them (RFC 7616)."""

    kind: Literal["digest"]


class NtlmAuth(_Auth):
    r"""The connection's login (DOMAIN\user or user@domain) and password, never sent, let in each connection."""

    kind: Literal["ntlm"]


class BearerAuth(_Auth):
    """The connection's password as `Authorization: Bearer …`."""

    kind: Literal["bearer"]


class ApiKeyAuth(_Auth):
    """The connection's password as a key, in a header or in the query."""

    kind: Literal["api_key"]
    header: str | None = Field(
        None, min_length=1, description="the request header that carries the key; default: Authorization"
    )
    prefix: str = Field("", description='header: what stands before the key, with its space, as in "Token "')
    query: str | None = Field(
        None, min_length=1, description="the query parameter that carries the key, where no header may"
    )

    @model_validator(mode="after")
    def _one_place(self) -> ApiKeyAuth:
        if self.query and (self.header or self.prefix):
            raise ValueError("auth: the key is sent in one place; name header (with prefix) or query, not both")
        return self


class TokenUse(Model):
    """Where requests carry the token: in one place."""

    header: str | None = Field(None, min_length=1, description="in this header; default: Authorization")
    prefix: str = Field("", description='header: what stands before the token, with its space, as in "Bearer "')
    query: str | None = Field(None, min_length=1, description="in this query parameter, where no header may")
    cookie: str | None = Field(None, min_length=1, description="in this cookie")

    @model_validator(mode="after")
    def _one_place(self) -> TokenUse:
        if sum(each is not None for each in (self.header, self.query, self.cookie)) != 1:
            raise ValueError("auth.send: name one place: header, query or cookie")
        if self.prefix and not self.header:
            raise ValueError("auth.send: prefix stands before the token in a header; take it out")
        return self


class TokenAuth(_Auth):
    """What the kinds of OAuth 2 share: tokens are asked for at an address of their own, and renewed when they end."""

    token_path: str = Field(
        description="where tokens are had, below the connection's host; the connection's extra token_url overrides it "
        "where that is another host",
    )
    scope: str | None = Field(None, description="the scope to ask a token for")
    client_auth: Literal["body", "basic", "private_key_jwt"] = Field(
        "body",
        description="how the client says who it is: client_id and client_secret in the body, or as basic; "
        "private_key_jwt: an assertion signed with private_key of the connection's extra (RFC 7523, 2.2)",
    )
    params: dict[str, str] = Field({}, description="further parameters of the token request: audience, resource, …")
    algorithm: Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"] = Field(
        "RS256", description="what assertions are signed with (private_key_jwt, oauth2_jwt_bearer)"
    )
    send: TokenUse = TokenUse(header="Authorization", prefix="Bearer ")

    @model_validator(mode="after")
    def _no_secret_here(self) -> TokenAuth:
        if wrong := sorted(_OURS & self.params.keys()):
            raise ValueError(
                f"auth.params: {', '.join(wrong)} follows from the kind, from scope, or is a secret that the Airflow "
                "connection holds; take it out"
            )
        signs = self.client_auth == "private_key_jwt" or isinstance(self, JwtBearerAuth)
        if "algorithm" in self.model_fields_set and not signs:
            raise ValueError("auth.algorithm: nothing is signed (client_auth private_key_jwt would be); take it out")
        return self


class ClientCredentialsAuth(TokenAuth):
    """OAuth 2 client credentials: the connection's login is the client id, its password the secret."""

    kind: Literal["oauth2_client_credentials"]


class RefreshTokenAuth(TokenAuth):
    """OAuth 2 refresh token (`refresh_token` of the connection's extra), for one that somebody has consented to.

    A new one that comes with an answer is stored before it is used. Login and password: client id and secret.
    """

    kind: Literal["oauth2_refresh_token"]


class PasswordAuth(TokenAuth):
    """OAuth 2 password: the connection's login and password; client_id and client_secret are in its extra."""

    kind: Literal["oauth2_password"]


class JwtBearerAuth(TokenAuth):
    """OAuth 2 JWT bearer (RFC 7523): an assertion signed with `private_key` of the connection's extra.

    Its issuer is the connection's login; private_key_id, subject and audience may stand in the extra.
    """

    kind: Literal["oauth2_jwt_bearer"]
    audience: str | None = Field(
        None, description="whom the assertion is for; default: the connection's extra audience, else the token address"
    )
    lifetime: timedelta = Field(
        timedelta(minutes=3),
        gt=timedelta(0),
        le=timedelta(hours=1),
        description="how long the assertion is good; ISO 8601",
    )
    claims: dict[str, str] = Field({}, description="further claims of the assertion, as Google's scope")

    @model_validator(mode="after")
    def _claims_are_further(self) -> JwtBearerAuth:
        if wrong := sorted({"iss", "sub", "aud", "iat", "exp", "jti"} & self.claims.keys()):
            raise ValueError(
                f"auth.claims: {', '.join(wrong)} follows from the connection (login, subject, audience) and lifetime; "
                "take it out"
            )
        return self


class Login(Model):
    """The request that opens a session. {login}, {password} and {NAME}, any field of the connection's extra, may stand
    in its values."""

    method: Literal["GET", "POST", "PUT"] = "POST"
    path: str = Field(description="below the connection's host")
    headers: dict[str, str] = Field({})
    body: dict[str, object] | None = Field(None, description="the body, sent as JSON")
    form: dict[str, str] | None = Field(None, description="the body, sent as a form")
    basic: bool = Field(False, description="the connection's login and password as basic")

    @model_validator(mode="after")
    def _one_body(self) -> Login:
        if self.body is not None and self.form is not None:
            raise ValueError("auth.login: the request has one body; name body or form, not both")
        if self.method == "GET" and (self.body is not None or self.form is not None):
            raise ValueError("auth.login: a GET has no body; name method POST, or take body and form out")
        return self


class TokenPlace(Model):
    """Where the login's answer has the session's token: in one place."""

    path: str | None = Field(None, description="in its JSON body, dotted; empty: the body is the token")
    header: str | None = Field(None, min_length=1, description="in this header")
    cookie: str | None = Field(None, min_length=1, description="in this cookie, which is then sent with every request")

    @model_validator(mode="after")
    def _one_place(self) -> TokenPlace:
        if sum(each is not None for each in (self.path, self.header, self.cookie)) != 1:
            raise ValueError("auth.token: name one place: path, header or cookie")
        return self


class SessionEnd(Model):
    """The answer, other than 401, that says that the session has ended."""

    status: int = Field(403, ge=200, le=499)
    text: str = Field(min_length=1, description="occurs in its body, within the first 64 KiB")


class SessionAuth(_Auth):
    """A session: opened by the request that `login` describes, or by the system's own module (`python`)."""

    kind: Literal["session"]
    login: Login | None = None
    token: TokenPlace | None = None
    send: TokenUse = TokenUse(header="Authorization", prefix="Bearer ")
    lifetime: timedelta | None = Field(
        None, gt=timedelta(0), description="a session as old as this is opened anew; ISO 8601"
    )
    ended: SessionEnd | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> SessionAuth:
        if self.login and not self.token:
            raise ValueError("auth: login needs token: where its answer has the session's token (path, header, cookie)")
        if not self.login and (given := sorted(self.model_fields_set & {"token", "send", "lifetime", "ended"})):
            raise ValueError(f"auth: {', '.join(given)} says more about login, which is missing; add it")
        if self.token and self.token.cookie and "send" in self.model_fields_set:
            raise ValueError("auth.send: a cookie that was set is sent as browsers do; take send out")
        return self


class UsernameTokenAuth(_Auth):
    """SOAP: WS-Security with the connection's login and password."""

    kind: Literal["username_token"]


class X509Auth(_Auth):
    """SOAP: WS-Security, messages signed with private_key and certificate, PEM texts, of the connection's extra."""

    kind: Literal["x509"]


def _kind(given: object) -> str:
    return str(given.get("kind", "none")) if isinstance(given, Mapping) else str(getattr(given, "kind", "none"))


Auth = Annotated[
    Annotated[NoAuth, Tag("none")]
    | Annotated[BasicAuth, Tag("basic")]
    | Annotated[DigestAuth, Tag("digest")]
    | Annotated[NtlmAuth, Tag("ntlm")]
    | Annotated[BearerAuth, Tag("bearer")]
    | Annotated[ApiKeyAuth, Tag("api_key")]
    | Annotated[ClientCredentialsAuth, Tag("oauth2_client_credentials")]
    | Annotated[RefreshTokenAuth, Tag("oauth2_refresh_token")]
    | Annotated[PasswordAuth, Tag("oauth2_password")]
    | Annotated[JwtBearerAuth, Tag("oauth2_jwt_bearer")]
    | Annotated[SessionAuth, Tag("session")]
    | Annotated[UsernameTokenAuth, Tag("username_token")]
    | Annotated[X509Auth, Tag("x509")],
    Discriminator(_kind),
]
"""How the system lets us in, by its `kind`."""


def wrong_for(auth: Auth, protocol: str, *, has_module: bool) -> str | None:
    """Why a system of this protocol cannot sign in so; None where it can. A module of its own may do as it likes."""
    if protocol == "sql" and auth != NoAuth():
        return "auth: protocol sql signs in with the connection's login and password by itself; take auth out"
    if protocol != "soap" and auth.kind in ("username_token", "x509") and not has_module:
        return f"auth: {auth.kind} is WS-Security, which only protocol soap writes; name another kind"
    if isinstance(auth, SessionAuth) and not auth.login and not has_module:
        return "auth: kind session needs login: the request that opens the session (or a module under python)"
    return None
