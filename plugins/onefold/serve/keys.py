"""Clients of the API and their keys: made, listed and revoked by who runs the warehouse; each is in the audit chain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from onefold.audit import AuditEvent
from onefold.audit.chain import Scalar
from onefold.audit.owner import append_as_owner
from onefold.errors import Fatal
from onefold.serve.clients import new_key
from onefold.warehouse.accounts import require_account

_NAME = re.compile(r"[a-z][a-z0-9_.-]{1,62}")
_LIST = """
select k.key_id, k.client, c.scopes, c.per_second, c.monthly_quota, k.created_at, k.expires_at, k.revoked_at
from ops.api_key as k join ops.api_client as c using (client) order by k.client, k.created_at"""


@dataclass(frozen=True, slots=True)
class Key:
    """A key and its client; the key itself is stored nowhere."""

    key_id: str
    client: str
    scopes: Sequence[str]
    per_second: int
    monthly_quota: int
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def keys(warehouse: psycopg.Connection) -> list[Key]:
    """All keys, also those that hold no more."""
    return [Key(*row) for row in warehouse.execute(_LIST).fetchall()]


def create_key(
    warehouse: psycopg.Connection,
    client: str,
    scopes: Sequence[str],
    per_second: int,
    monthly_quota: int,
    days: int | None,
    *,
    actor: str,
    account: str | None = None,
) -> str:
    """Make the client, or give it these scopes and limits, and a key more; returns the key. As the superuser.

    With `account` it is a person's, and follows their groups. Raises Fatal for a name that cannot be one, an account
    that nobody has, or another's client.
    """
    if not _NAME.fullmatch(client) or client == "nobody":
        raise Fatal(f"{client!r} cannot be a client: use 2 to 63 of a-z, 0-9, _ . and -, with a letter first.")
    if account:
        require_account(warehouse, account)
    made = new_key()
    with warehouse.transaction():
        there = warehouse.execute(
            "insert into ops.api_client as c (client, scopes, per_second, monthly_quota, created_by, account)"
            " values (%s, %s, %s, %s, %s, %s)"
            " on conflict (client) do update set scopes = excluded.scopes, per_second = excluded.per_second,"
            " monthly_quota = excluded.monthly_quota where c.account is not distinct from excluded.account"
            " returning client",
            (client, list(scopes), per_second, monthly_quota, actor, account),
        ).fetchone()
        if there is None:
            raise Fatal(f"The client {client} is there, and not of this account. Choose another name.")
        warehouse.execute(
            "insert into ops.api_key (key_id, client, secret_hash, created_by, expires_at)"
            " values (%s, %s, %s, %s, now() + %s)",
            (made.key_id, client, made.secret_hash, actor, timedelta(days=days) if days else None),
        )
        facts: dict[str, Scalar | Sequence[Scalar]] = {
            "client": client,
            "scopes": list(scopes),
            "per_second": per_second,
            "monthly_quota": monthly_quota,
        }
        append_as_owner(warehouse, AuditEvent(actor, "api.key_create", f"key:{made.key_id}", payload=facts))
    return made.text


def revoke_key(warehouse: psycopg.Connection, key_id: str, *, actor: str) -> None:
    """Let the key be accepted no more. Raises Fatal when there is none that holds."""
    with warehouse.transaction():
        found = warehouse.execute(
            "update ops.api_key set revoked_at = now() where key_id = %s and revoked_at is null returning client",
            (key_id,),
        ).fetchone()
        if found is None:
            raise Fatal(f"There is no key {key_id} that holds. `bin/onefold api-key list` shows those that there are.")
        append_as_owner(warehouse, AuditEvent(actor, "api.key_revoke", f"key:{key_id}", payload={"client": found[0]}))
