"""How a system lets us in: the Authorization header, and a token that is renewed when it ends."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable

import msgspec
from authlib.oauth2.rfc6749 import OAuth2Token
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response
from onefold.http.endpoint import Endpoint

PostForm = Callable[[str, str], OAuth2Token]
"""Posts a form without credentials in the header, to a path or to the https address of the connection's extra
`token_url`, and gives the token that came back."""


class Credentials:
    """The header that lets one client in, `name`. Its repr shows no secret."""

    def __init__(self, system: System, endpoint: Endpoint, post_form: PostForm) -> None:
        self._system = system
        self._endpoint = endpoint
        self._post_form = post_form
        self._token: OAuth2Token | None = None
        self._lock = threading.Lock()
        self.name = system.auth.header if system.auth.kind == "api_key" else "Authorization"

    def __repr__(self) -> str:
        return f"Credentials({self._system.system!r}, {self._system.auth.kind!r})"

    def header(self) -> str | None:
        """The header's value; asks for a token when there is none, or it ends within a minute."""
        match self._system.auth.kind:
            case "basic":
                login, password = self._pair()
                return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()
            case "bearer":
                return f"Bearer {self._key()}"
            case "api_key":
                return self._key()
            case "oauth2_client_credentials":
                with self._lock:
                    if self._token is None or self._token.is_expired(leeway=60):
                        self._token = self._new_token()
                    return _bearer(self._token)
            case _:
                return None

    def renew(self, refused: str | None) -> bool:
        """Forget the token whose header was refused, unless another thread has; False when there is none to renew."""
        if self._system.auth.kind != "oauth2_client_credentials":
            return False
        with self._lock:
            if self._token is not None and _bearer(self._token) == refused:
                self._token = None
        return True

    def _new_token(self) -> OAuth2Token:
        login, password = self._pair()
        scope = {"scope": self._system.auth.scope} if self._system.auth.scope else {}
        form = prepare_token_request("client_credentials", client_id=login, client_secret=password, **scope)
        elsewhere = (self._endpoint.extra or {}).get("token_url")
        return self._post_form(elsewhere or self._system.auth.token_path or "", form)

    def _key(self) -> str:
        if not self._endpoint.password:
            raise Fatal(
                f"{self._system.system}: the Airflow connection {self._system.connection!r} has no password, where "
                f"auth {self._system.auth.kind} looks for the key: set it there."
            )
        return self._endpoint.password

    def _pair(self) -> tuple[str, str]:
        if not self._endpoint.login or not self._endpoint.password:
            raise Fatal(
                f"{self._system.system}: the Airflow connection {self._system.connection!r} has no login or no "
                f"password, and auth {self._system.auth.kind} needs both: set them there."
            )
        return self._endpoint.login, self._endpoint.password


def _bearer(token: OAuth2Token) -> str:
    return f"Bearer {token['access_token']}"


def token_of(response: Response) -> OAuth2Token:
    """Read a token answer (RFC 6749, 5.1). Raises BadBody when it is not one."""
    try:
        body = msgspec.json.decode(response.body.removeprefix(b"\xef\xbb\xbf"), type=dict[str, msgspec.Raw])
        token = {name: msgspec.json.decode(body[name]) for name in ("access_token", "expires_in") if name in body}
    except msgspec.DecodeError as error:
        raise BadBody("the token answer is not a JSON object") from error
    if not isinstance(token.get("access_token"), str):
        raise BadBody("the token answer has no access_token")
    return OAuth2Token(token)
