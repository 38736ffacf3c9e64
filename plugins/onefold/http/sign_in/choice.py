"""Which class signs in, by the kind that the system's YAML names."""

from __future__ import annotations

from onefold.catalog.auth import (
    ApiKeyAuth,
    BasicAuth,
    BearerAuth,
    ClientCredentialsAuth,
    DigestAuth,
    JwtBearerAuth,
    NtlmAuth,
    PasswordAuth,
    RefreshTokenAuth,
    SessionAuth,
)
from onefold.catalog.system import System
from onefold.http.endpoint import Endpoint
from onefold.http.sign_in.contract import Exchange, SignIn
from onefold.http.sign_in.digest import Digest
from onefold.http.sign_in.fixed import Basic, Bearer, Key


def sign_in(system: System, endpoint: Endpoint, exchange: Exchange) -> SignIn:
    """How the system lets a client in; `exchange` sends what a kind must ask for first.

    WS-Security's kinds stand in the message (connectors/soap), and a session without a login is its module's.
    """
    match system.auth:
        case BasicAuth():
            return Basic(system, endpoint)
        case BearerAuth():
            return Bearer(system, endpoint)
        case ApiKeyAuth() as auth:
            return Key(system, endpoint, auth)
        case DigestAuth():
            return Digest(system, endpoint)
        case NtlmAuth():
            from onefold.http.sign_in.ntlm import Ntlm

            return Ntlm(system, endpoint)
        case SessionAuth(login=login, token=token) as auth if login and token:
            from onefold.http.sign_in.session import Session

            return Session(system, endpoint, auth, login, token, exchange)
        case ClientCredentialsAuth() | RefreshTokenAuth() | PasswordAuth() | JwtBearerAuth() as auth:
            from onefold.http.sign_in import oauth2, refresh  # authlib takes its time to import

            match auth:
                case ClientCredentialsAuth():
                    return oauth2.Tokens(system, endpoint, auth, exchange)
                case PasswordAuth():
                    return oauth2.Password(system, endpoint, auth, exchange)
                case JwtBearerAuth():
                    return oauth2.JwtBearer(system, endpoint, auth, exchange)
                case RefreshTokenAuth():
                    return refresh.RefreshToken(system, endpoint, auth, exchange)
    return SignIn(system, endpoint)
