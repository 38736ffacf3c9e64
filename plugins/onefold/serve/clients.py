"""Who asks: an API key in a header, or a token of the realm (OAuth 2 client credentials)."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import Headers

from onefold.orchestration.oidc.provider import IdentityProvider, Refused
from onefold.serve.database import Database, Row
from onefold.serve.problem import Problem
from onefold.serve.tokens import Claims, Tokens, WrongToken

Scope = Literal["companies", "people", "watch"]
SCOPES: tuple[Scope, ...] = ("companies", "people", "watch")
KEY_HEADER = "X-API-Key"
KNOWN_FOR = 5.0
"""Seconds that what is known of a client holds: so long a key that was revoked may still be accepted."""
_MOST_KNOWN = 10_000
_KEY = re.compile(r"onefold_([a-z]{12})_([A-Za-z0-9_-]{43})", re.ASCII)
_COLUMNS = "c.client, c.scopes, c.per_second, c.monthly_quota"
_BY_KEY = """
select c.client, c.per_second, c.monthly_quota
    , case when c.account is null or a.pii then c.scopes else array_remove(c.scopes, 'people') end as scopes
from ops.api_key as k join ops.api_client as c using (client) left join ops.account as a using (account)
where k.key_id = %s and k.secret_hash = %s and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
    and (c.account is null or a.ended_at is null and a.duty is not null and a.signed_in_at > now() - interval '1 day')
"""
"""The key of a person's client allows what their groups did, for a day after their last sign-in."""
_BY_NAME = f"select {_COLUMNS} from ops.api_client as c where c.client = %s and c.account is null"  # noqa: S608 - ours
_BY_ACCOUNT = f"""
select {_COLUMNS} from ops.api_client as c join ops.account as a using (account)
where c.account = %s and a.ended_at is null order by c.client limit 1
"""  # noqa: S608 - names of ours


@dataclass(frozen=True, slots=True)
class Client:
    """An application that asks, and what it may."""

    name: str
    scopes: frozenset[str]
    per_second: int
    monthly_quota: int

    @property
    def sees_people(self) -> bool:
        return "people" in self.scopes


NOBODY = Client("nobody", frozenset(), 50, 2**53)
"""Whoever came without a valid key: so many of their requests a second are recorded, all are refused."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is shown once, and what is stored of it."""

    text: str
    key_id: str
    secret_hash: bytes


def new_key() -> NewKey:
    """A key with 256 random bits: its hash needs no salt."""
    key_id = "".join(secrets.choice(string.ascii_lowercase) for _ in range(12))  # digits may look personal
    secret = secrets.token_urlsafe(32)
    return NewKey(f"onefold_{key_id}_{secret}", key_id, hashlib.sha256(secret.encode()).digest())


class Clients:
    """Finds who asks. What the warehouse said holds for KNOWN_FOR seconds."""

    def __init__(
        self,
        database: Database,
        tokens: Tokens | None,
        clock: Callable[[], float] = time.monotonic,
        people: IdentityProvider | None = None,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._people = people
        self._clock = clock
        self._known: dict[bytes, tuple[float, Client | None]] = {}

    async def client_of(self, headers: Headers) -> Client:
        """Who has sent these headers. Raises Problem 401 for nobody that is known."""
        key, authorization = headers.get(KEY_HEADER), headers.get("authorization")
        if key is not None and authorization is not None:
            raise _unknown(f"Send either {KEY_HEADER} or Authorization, not both.")
        if key is not None:
            client = await self._of_key(key)
            if client is None:
                raise _unknown("The key is unknown, revoked or expired. Ask for another (bin/onefold api-key create).")
            return client
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise _unknown(f"Send the key as {KEY_HEADER}, or a token as Authorization: Bearer.")
        return await self._of_token(token.strip())

    async def _of_key(self, key: str) -> Client | None:
        found = _KEY.fullmatch(key)
        if found is None:
            return None
        key_id, secret = found.groups()
        return await self._cached(hashlib.sha256(key.encode()).digest(), _BY_KEY, key_id, _digest(secret))

    async def _of_token(self, token: str) -> Client:
        if self._tokens is None:
            raise _unknown(f"Tokens are not accepted here. Send a key as {KEY_HEADER}.")
        try:
            claims = await self._tokens.claims_of(token)
        except WrongToken as error:
            raise _unknown(str(error)) from None
        if self._people is not None and self._people.claim in claims.all:
            return await self._of_person(self._people, claims)
        client = await self._cached(b"name " + claims.client.encode(), _BY_NAME, claims.client)
        if client is None:
            raise _unknown("The token's client is not registered here (bin/onefold api-key create).")
        return Client(client.name, client.scopes & claims.scopes, client.per_second, client.monthly_quota)

    async def _of_person(self, people: IdentityProvider, claims: Claims) -> Client:
        """Whose token lists groups is a person: these say what they may, not the scopes of the application."""
        try:
            account, rights = people.person(claims.all).account, people.rights(claims.all)
        except Refused as refused:
            raise _unknown(str(refused)) from None
        client = await self._cached(b"account " + account.encode(), _BY_ACCOUNT, account)
        if client is None:
            raise _unknown("No client is registered for this person (bin/onefold api-key create --account).")
        scopes = client.scopes if rights.pii else client.scopes - {"people"}
        return Client(client.name, scopes, client.per_second, client.monthly_quota)

    async def _cached(self, name: bytes, query: str, *parameters: object) -> Client | None:
        now = self._clock()
        held = self._known.get(name)
        if held is not None and held[0] > now:
            return held[1]
        rows: list[Row] = await self._database.public.fetch(query, parameters)
        client = (
            Client(rows[0]["client"], frozenset(rows[0]["scopes"]), rows[0]["per_second"], rows[0]["monthly_quota"])
            if rows
            else None
        )
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[name] = (now + KNOWN_FOR, client)
        return client


def require(client: Client, scope: Scope) -> None:
    """Raises Problem 403 when the client has not the scope."""
    if scope not in client.scopes:
        raise Problem(403, "not-allowed", f"This needs the scope {scope}, which the client has not.")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _unknown(detail: str) -> Problem:
    return Problem(401, "not-signed-in", detail, {"WWW-Authenticate": 'Bearer realm="onefold"'})
