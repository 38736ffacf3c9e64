"""How KSeF lets us in: a challenge, the KSeF token encrypted for the ministry, and tokens that live for minutes.

Source: "Uwierzytelnianie" and "Klucze publiczne" (github.com/CIRFMF/ksef-docs); RSA-OAEP with SHA-256 throughout.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_der_x509_certificate

from onefold.catalog.system import System
from onefold.connectors.records import sound_json
from onefold.errors import Fatal, Retriable
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Refused
from onefold.systems.ksef.moment import moment

T = TypeVar("T")
Usage = Literal["KsefTokenEncryption", "SymmetricKeyEncryption"]

LEEWAY = timedelta(seconds=60)
SIGN_IN_PATIENCE = 60.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0  # seconds
IN_PROGRESS, DONE = 100, 200  # KSeF's own codes of what it does in the background
SPENT_CHALLENGE = 400

_JSON = {"Accept": "application/json", "Content-Type": "application/json"}


class Status(msgspec.Struct):
    """How far KSeF is with something; the codes of what failed are 400 and more."""

    code: int
    description: str = ""


class _Certificate(msgspec.Struct):
    certificate: bytes
    usage: list[str]
    validFrom: str
    validTo: str
    publicKeyId: str | None = None


class _Challenge(msgspec.Struct):
    challenge: str
    timestampMs: int


class _Token(msgspec.Struct):
    token: str
    validUntil: str

    @property
    def good(self) -> bool:
        return moment(self.validUntil) - LEEWAY > datetime.now(UTC)


class _Begun(msgspec.Struct):
    referenceNumber: str
    authenticationToken: _Token


class _Progress(msgspec.Struct):
    status: Status


class _Tokens(msgspec.Struct):
    accessToken: _Token
    refreshToken: _Token | None = None


class Session:
    """A sign-in with a KSeF token (the connection's password) for the company with the NIP that is its login."""

    def __init__(self, system: System, endpoint: Endpoint, http: Client) -> None:
        self._named = system.system
        self._connection = system.connection
        self._nip, self._ksef_token = endpoint.login, endpoint.password
        self._http = http
        self._certificates: list[_Certificate] | None = None
        self._access: _Token | None = None
        self._refresh: _Token | None = None

    def send(self, method: str, path: str, answer: type[T], body: object = None) -> T:
        """Send JSON with an access token and read the answer; a token that is refused is renewed once."""
        try:
            return self._send(method, path, answer, self._access_token(), body)
        except Refused as error:
            if error.status != 401:
                raise
            self._access = None
        return self._send(method, path, answer, self._access_token(), body)

    def encrypted(self, secret: bytes, usage: Usage) -> dict[str, str]:
        """The secret under the ministry's current key for that use, and which key that is, as requests carry them."""
        now = datetime.now(UTC)
        if self._certificates is None:
            path = "/v2/security/public-key-certificates"
            self._certificates = self._http.send("GET", path, headers=_JSON, parse=reading(list[_Certificate]))
        fit = [c for c in self._certificates if usage in c.usage and moment(c.validFrom) <= now < moment(c.validTo)]
        newest = max(fit, key=lambda certificate: moment(certificate.validFrom), default=None)
        key = load_der_x509_certificate(newest.certificate).public_key() if newest else None
        if newest is None or not isinstance(key, rsa.RSAPublicKey):
            raise Fatal(
                f"{self._named}: KSeF names no valid RSA certificate for {usage}. Look at /v2/security/"
                "public-key-certificates there; nothing can be exchanged until the ministry publishes one."
            )
        oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
        wrapped = {"encrypted": base64.b64encode(key.encrypt(secret, oaep)).decode()}
        return wrapped | ({"publicKeyId": newest.publicKeyId} if newest.publicKeyId else {})

    def _access_token(self) -> str:
        if self._access is None or not self._access.good:
            self._access = self._refreshed() or self._signed_in()
        return self._access.token

    def _refreshed(self) -> _Token | None:
        if self._refresh is None or not self._refresh.good:
            return None
        try:
            return self._send("POST", "/v2/auth/token/refresh", _Tokens, self._refresh.token).accessToken
        except Refused:  # whatever it is, a new sign-in says it better
            return None

    def _signed_in(self) -> _Token:
        """Sign in; twice where a challenge or a token was used up by an attempt whose answer never arrived."""
        try:
            tokens = self._tokens()
        except Refused as error:
            if error.status != SPENT_CHALLENGE:
                raise
            tokens = self._tokens()
        self._refresh = tokens.refreshToken
        return tokens.accessToken

    def _tokens(self) -> _Tokens:
        if not self._nip or not self._ksef_token:
            raise Fatal(
                f"{self._named}: the Airflow connection {self._connection!r} has no login or no password. Set login to "
                "the company's NIP and password to the KSeF token that was made for it."
            )
        challenge = self._send("POST", "/v2/auth/challenge", _Challenge)
        secret = self.encrypted(f"{self._ksef_token}|{challenge.timestampMs}".encode(), "KsefTokenEncryption")
        request = {
            "challenge": challenge.challenge,
            "contextIdentifier": {"type": "Nip", "value": self._nip},
            "encryptedToken": secret.pop("encrypted"),
            **secret,
        }
        begun = self._send("POST", "/v2/auth/ksef-token", _Begun, body=request)
        token = begun.authenticationToken.token

        def judged() -> Status | None:
            status = self._send("GET", f"/v2/auth/{begun.referenceNumber}", _Progress, token).status
            return None if status.code == IN_PROGRESS else status

        status = until_done(judged, self._http, SIGN_IN_PATIENCE)
        if status is None:
            raise Retriable(f"{self._named}: KSeF has not signed us in within {SIGN_IN_PATIENCE:.0f} s. Run it later.")
        if status.code != DONE:
            raise Fatal(
                f"{self._named}: KSeF did not let us in, status {status.code}. Check that the KSeF token (password of "
                f"the Airflow connection {self._connection!r}) is active, has the right InvoiceRead and is for the NIP "
                "that is the connection's login."
            )
        return self._send("POST", "/v2/auth/token/redeem", _Tokens, token)

    def _send(self, method: str, path: str, answer: type[T], token: str | None = None, body: object = None) -> T:
        return self._http.send(
            method,
            path,
            headers=_JSON | ({"Authorization": f"Bearer {token}"} if token else {}),
            body=None if body is None else msgspec.json.encode(body),
            parse=reading(answer),
        )


def reading(answer: type[T]) -> Callable[[Response], T]:
    """What reads an answer's JSON as this type. It raises BadBody when the body is not that."""

    def read(response: Response) -> T:
        try:
            return msgspec.json.decode(sound_json(response), type=answer)
        except msgspec.ValidationError as error:
            raise BadBody(f"JSON of another shape: {error}") from error

    return read


def until_done(ask: Callable[[], T | None], http: Client, patience: float) -> T | None:
    """Ask until there is an answer, after longer and longer pauses; None when that took `patience` seconds."""
    waited, pause = 0.0, FIRST_PAUSE
    while (answer := ask()) is None and waited < patience:
        http.wait(pause)
        waited, pause = waited + pause, min(2 * pause, LONGEST_PAUSE)
    return answer
