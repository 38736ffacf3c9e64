"""How a system lets us in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from onefold.catalog.model import Model


class Auth(Model):
    """How the system lets us in; the secrets themselves are in the Airflow connection."""

    kind: Literal[
        "none", "basic", "bearer", "api_key", "oauth2_client_credentials", "session", "username_token", "x509"
    ] = Field(
        "none",
        description="bearer, api_key: the connection's password is the key; username_token, x509: WS-Security (soap), "
        "the latter with private_key and certificate, PEM texts, in the connection's extra",
    )
    header: str = Field("Authorization", description="api_key: the request header that carries the key")
    token_path: str | None = Field(
        None,
        description="oauth2: where tokens are had, below the connection's host; the connection's extra token_url "
        "overrides it where that is another host",
    )
    scope: str | None = Field(None, description="oauth2: the scope to ask a token for")
