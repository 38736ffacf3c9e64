"""OAuth 2 refresh tokens, also those that change with each use.

A server that rotates them gives each once, and takes an old one for stolen: then the whole family ends, and a person
must consent anew. So one process at a time asks for all who share the identity, and what comes is stored before it is
used; the others find the new token there, and ask for none.
"""

from __future__ import annotations

import hashlib

import msgspec

from onefold.errors import Fatal
from onefold.http.sign_in.oauth2 import Tokens
from onefold.http.sign_in.token import Token, TokenRefused


class ConsentNeeded(Fatal):
    """A refresh token is not accepted any more: only a person can give a new one."""


class _Stored(msgspec.Struct, frozen=True):
    """What is stored: the tokens that came last, and the hash of the consented token that they descend from."""

    consent: str
    refresh: str
    access: str
    ends: float | None


class RefreshToken(Tokens):
    """An access token for the refresh token that stands in the connection's extra, or that has taken its place."""

    def new_token(self) -> Token:
        (consented,) = self.connection.need("refresh_token")
        client = self._client()
        store = self.connection.tokens
        if store is None:
            raise Fatal(
                f"{self.connection.named}: auth {self.connection.kind} stores each new refresh token, which only a "
                "task of Airflow's can: run bin/onefold sync. Nothing was asked; the token is as good as before."
            )
        consent = hashlib.sha256(consented.encode()).hexdigest()
        with store.exclusive() as place:
            stored = _stored(place.read(), consent)
            if stored and stored.access != self.refused and Token(stored.access, stored.ends).is_good:
                return Token(stored.access, stored.ends)
            refresh = stored.refresh if stored else consented
            given = self.ask("refresh_token", client, refresh_token=refresh)
            kept = _Stored(consent, given.refresh or refresh, given.access, given.ends)
            place.write(msgspec.json.encode(kept).decode())
            return given

    def _client(self) -> dict[str, str]:
        if self.connection.get("password") or self.auth.client_auth != "body":
            return self.client("login", "password")
        return {"client_id": self.connection.need("login")[0]}  # a public client has no secret

    def refusal(self, refusal: TokenRefused) -> Fatal:
        return (ConsentNeeded if refusal.code == "invalid_grant" else Fatal)(str(super().refusal(refusal)))

    def remedy(self, code: str) -> str:
        if code != "invalid_grant":
            return super().remedy(code)
        return (
            "The refresh token is spent, withdrawn or too old: consent is needed again, and trying again cannot help. "
            f"Sign in anew as the person whom the Airflow connection {self.connection.name!r} acts for, and put the "
            "new refresh token as refresh_token into its extra"
        )


def _stored(text: str | None, consent: str) -> _Stored | None:
    """What descends from the token that the connection holds now; what another one left behind is of no use."""
    try:
        stored = msgspec.json.decode(text or "null", type=_Stored | None)
    except msgspec.DecodeError:
        return None
    return stored if stored and stored.consent == consent else None
