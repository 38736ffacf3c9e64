"""A session: a login call gives a token, which every request carries until the session ends.

It is opened when it is first needed, and anew when a request is refused with 401, when an answer says that it has ended
(auth.ended), and when it is as old as auth.lifetime says.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from onefold.catalog.auth import Login, SessionAuth, TokenPlace
from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.foreign_text import described
from onefold.http.attempt import BadBody, Response
from onefold.http.endpoint import Endpoint
from onefold.http.known_words import known_words
from onefold.http.sign_in.contract import Exchange, Signed, SignIn
from onefold.http.sign_in.fixed import Place, basic

_REFUSALS = frozenset({400, 401, 403})
_LOOKED_AT = 64 * 1024
"""Bytes of an answer in which auth.ended looks for its text."""
_NAME = re.compile(r"\{([A-Za-z_]\w*)\}")


class Session(SignIn):
    """A session that is opened by the request that the YAML describes."""

    def __init__(
        self, system: System, endpoint: Endpoint, auth: SessionAuth, login: Login, token: TokenPlace, exchange: Exchange
    ) -> None:
        super().__init__(system, endpoint)
        self._auth, self._login, self._at, self._exchange = auth, login, token, exchange
        send = auth.send
        self._place = (
            None
            if token.cookie
            else Place(header=send.header, prefix=send.prefix, query=send.query, cookie=send.cookie)
        )
        self._words = known_words(system)
        self._lock = threading.Lock()
        self._token: str | None = None
        self._opened = 0.0

    def proof(self) -> str:
        with self._lock:
            longest = self._auth.lifetime
            if longest and self._token and time.monotonic() - self._opened >= longest.total_seconds():
                self._token = None
            if self._token is None:
                self._token, self._opened = self._open(), time.monotonic()
            return self._token

    def sign(self, proof: str | None, method: str, url: str) -> Signed:
        if self._place is None:  # the wire keeps cookies, and sends all that the login has set
            return Signed(url, {})
        return self._place.signed(proof or "", url, self.connection.named)

    def renew(self, refused: str | None, answer: Mapping[str, str]) -> bool:
        with self._lock:
            if self._token == refused:
                self._token = None
        return True

    def has_ended(self, response: Response) -> bool:
        ended = self._auth.ended
        if ended is None or response.status != ended.status:
            return False
        response.file.seek(0)
        beginning = response.file.read(_LOOKED_AT)
        response.file.seek(0)
        return ended.text.encode() in beginning

    def in_query(self, proof: str | None) -> str | None:
        return proof if self._place and self._place.query else None

    def _open(self) -> str:
        login = self._login
        self.connection.need(*dict.fromkeys(_names(login)))
        headers = {"Accept": "application/json"} | {name: self._filled(text) for name, text in login.headers.items()}
        body: bytes | None = None
        if login.basic:
            headers["Authorization"] = basic(*self.connection.need("login", "password"))
        if login.body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = msgspec.json.encode(self._filled_in(login.body))
        elif login.form is not None:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            body = urlencode({name: self._filled(text) for name, text in login.form.items()}).encode()
        return self._exchange(login.method, login.path, headers, body, self._token_of, _REFUSALS)

    def _token_of(self, response: Response) -> str:
        if response.status in _REFUSALS:
            answer = described(response.body, self._words)
            raise Fatal(
                f"{self.connection.named}: {self._login.method} {self._login.path} opened no session and was refused "
                f"with status {response.status}{f' ({answer})' if answer else ''}. Check the fields of the Airflow "
                f"connection {self.connection.name!r} that auth.login in the system's YAML names."
            )
        at = self._at
        if at.header:
            token = response.headers.get(at.header)
        elif at.cookie:
            token = response.cookies.get(at.cookie)
        else:
            token = _in_body(response, at.path or "")
        if token:
            return token
        if "html" in response.content_type:
            raise BadBody("the login was answered with a web page")
        raise Fatal(  # asked again and again with a wrong password, an account is locked
            f"{self.connection.named}: {self._login.method} {self._login.path} was answered with status "
            f"{response.status} and no token at {at.header or at.cookie or at.path or 'its body'} (auth.token in the "
            f"system's YAML). Check that, and login and password of the Airflow connection {self.connection.name!r}."
        )

    def _filled_in(self, value: object) -> object:
        match value:
            case str():
                return self._filled(value)
            case dict():
                return {name: self._filled_in(each) for name, each in value.items()}
            case list():
                return [self._filled_in(each) for each in value]
        return value

    def _filled(self, text: str) -> str:
        return _NAME.sub(lambda found: self.connection.get(found[1]) or "", text)


def _in_body(response: Response, path: str) -> str | None:
    """The text or number at a dotted path of a JSON body; all of the body, with an empty one."""
    try:
        found: object = msgspec.json.decode(response.body.removeprefix(b"\xef\xbb\xbf"))
    except msgspec.DecodeError:
        if path:
            raise BadBody("the login's answer is not JSON") from None
        found = response.body.decode(errors="replace").strip()
    for step in path.split(".") if path else ():
        found = found.get(step) if isinstance(found, dict) else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else None


def _names(value: object) -> list[str]:
    """The connection's fields that a login's values name."""
    match value:
        case Login():
            needed = ["login", "password"] if value.basic else []
            return [*needed, *_names(value.headers), *_names(value.body), *_names(value.form)]
        case str():
            return _NAME.findall(value)
        case dict():
            return [name for each in value.values() for name in _names(each)]
        case list():
            return [name for each in value for name in _names(each)]
    return []
