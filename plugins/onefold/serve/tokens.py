"""Tokens of the realm: JWTs (RFC 9068), checked for signature (by the realm's keys), issuer, audience and time.

Source: RFC 7517 (JWKS), RFC 7519, RFC 8725 "JSON Web Token Best Current Practices".
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from onefold.errors import OnefoldError
from onefold.http.failure import Again
from onefold.http.wire import Request, Wire
from onefold.serve.json_text import decode

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "Ed25519"]
"""Public keys only: with none, or a shared secret, whoever knows the public key could sign."""
KEYS_FOR = 300.0
"""Seconds that the realm's keys hold."""
AT_MOST_EVERY = 10.0
"""Seconds between two readings of the keys for tokens that name another one."""
LEEWAY = 30
"""Seconds that clocks may differ."""
_LARGEST = 1 << 20
_LONGEST = 16_384


class WrongToken(Exception):
    """A token that is not accepted; the text says why, without the token."""


@dataclass(frozen=True, slots=True)
class Realm:
    """Whose tokens are accepted: the issuer, what stands as audience, and where its keys are (an https address, or the
    path of a file)."""

    issuer: str
    audience: str
    keys: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: which client (azp, or client_id), its scopes, and all of it."""

    client: str
    scopes: frozenset[str]
    all: Mapping[str, object] = field(default_factory=dict, compare=False)


class Tokens:
    """Checks tokens. The realm's keys are read when first needed, and again when they are old or lack one."""

    def __init__(
        self,
        realm: Realm,
        read_keys: Callable[[str], bytes] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._realm = realm
        self._read = read_keys or _read_keys
        self._clock = clock
        self._keys: KeySet | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def claims_of(self, token: str) -> Claims:
        """Raises WrongToken for a token that is not the realm's, not for us, or not valid now."""
        if len(token) > _LONGEST:
            raise WrongToken("The token is too long.")
        await self._keep_keys(KEYS_FOR)
        try:
            found = self._decoded(token)
        except (JoseError, ValueError):
            await self._keep_keys(AT_MOST_EVERY)
            try:
                found = self._decoded(token)
            except (JoseError, ValueError):
                raise WrongToken("The token's signature is not by a key of the realm.") from None
        return self._checked(found)

    def _decoded(self, token: str) -> dict[str, object]:
        if self._keys is None:
            raise WrongToken("The realm's keys could not be read: no token can be checked now.")
        return dict(jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims)

    def _checked(self, claims: dict[str, object]) -> Claims:
        now = self._clock()
        audience = claims.get("aud")
        if claims.get("iss") != self._realm.issuer:
            raise WrongToken("The token is of another issuer.")
        if self._realm.audience not in (audience if isinstance(audience, list) else [audience]):
            raise WrongToken("The token is not for this API (aud).")
        expires, begins = claims.get("exp"), claims.get("nbf", 0)
        if isinstance(expires, bool) or not isinstance(expires, int | float) or expires + LEEWAY <= now:
            raise WrongToken("The token has expired (exp).")
        if isinstance(begins, bool) or not isinstance(begins, int | float) or begins - LEEWAY > now:
            raise WrongToken("The token is not valid yet (nbf).")
        client = claims.get("azp") or claims.get("client_id")
        if not isinstance(client, str) or not client:
            raise WrongToken("The token names no client (azp).")
        scope = claims.get("scope", "")
        return Claims(client, frozenset(scope.split() if isinstance(scope, str) else ()), claims)

    async def _keep_keys(self, seconds: float) -> None:
        async with self._reading:
            if self._clock() - self._read_at < seconds:
                return
            self._read_at = self._clock()
            (read,) = await asyncio.gather(asyncio.to_thread(self._read, self._realm.keys), return_exceptions=True)
            if isinstance(read, bytes):
                self._keys = KeySet.import_key_set(decode(read))
            elif isinstance(read, BaseException) and not isinstance(read, OnefoldError | OSError | Again):
                raise read


def _read_keys(place: str) -> bytes:
    if not place.startswith("https://"):
        return Path(place).read_bytes()
    with closing(Wire("realm", "realm", place, _LARGEST)) as wire:
        response = wire.exchange(Request("GET", place, {"Accept": "application/json"}, None), 10, "the realm's keys")
        with closing(response.file):
            if response.status != 200:
                raise OSError(f"status {response.status}")
            return response.body
