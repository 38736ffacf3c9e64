"""Accounts of people who sign in at the identity provider, for who runs the warehouse: as the superuser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from onefold.audit import AuditEvent
from onefold.audit.owner import append_as_owner
from onefold.errors import Fatal
from onefold.warehouse.logins import logins

_LIST = """
select account, issuer, subject, duty, pii, signed_in_at, login, ended_at
    , array(select client from ops.api_client as c where c.account = a.account order by 1) as clients
from ops.account as a order by ended_at nulls first, signed_in_at desc"""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who has signed in: what their groups allowed then (`duty` None: nothing any more), the personal login
    and the clients of the register API that are theirs, and since when they may no more."""

    account: str
    issuer: str
    subject: str
    duty: str | None
    pii: bool
    signed_in_at: datetime
    login: str | None
    ended_at: datetime | None
    clients: list[str]


def accounts(warehouse: psycopg.Connection) -> list[Account]:
    """All, those that have ended last."""
    with warehouse.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(_LIST).fetchall()


def require_account(warehouse: psycopg.Connection, account: str) -> None:
    """Raises Fatal when nobody of this account has signed in yet."""
    if warehouse.execute("select from ops.account where account = %s", (account,)).fetchone() is None:
        raise Fatal(f"Nobody has signed in as {account}. `bin/onefold account list` shows who has.")


def link_login(warehouse: psycopg.Connection, account: str, login: str, *, actor: str) -> None:
    """Let the personal login follow the groups of this account from now on. Raises Fatal when there is no such account
    or login, or it is somebody else's."""
    require_account(warehouse, account)
    if login not in {each.name for each in logins(warehouse)}:
        raise Fatal(f"There is no personal login {login}. Make it with `bin/onefold user add {login}`.")
    try:
        with warehouse.transaction():
            warehouse.execute("update ops.account set login = %s where account = %s", (login, account))
            append_as_owner(warehouse, AuditEvent(actor, "account.link", f"account:{account}", to=f"login:{login}"))
            warehouse.execute("select ops.follow_account(%s)", (account,))
    except psycopg.errors.UniqueViolation:
        raise Fatal(f"{login} is the login of another account. A login is one person's.") from None


def end_account(warehouse: psycopg.Connection, account: str, *, actor: str) -> bool:
    """End what the account allows; False when it had ended. Raises Fatal when there is none."""
    require_account(warehouse, account)
    row = warehouse.execute("select audit.end_account(%s, %s, 'by_hand')", (actor, account)).fetchone()
    return row == (True,)


def reopen_account(warehouse: psycopg.Connection, account: str, *, actor: str) -> None:
    """Let the person sign in again; keys that were revoked stay so. Raises Fatal when it has not ended."""
    with warehouse.transaction():
        row = warehouse.execute(
            "update ops.account set ended_at = null, ended_by = null where account = %s and ended_at is not null"
            " returning account",
            (account,),
        ).fetchone()
        if row is None:
            raise Fatal(f"No account {account} has ended. `bin/onefold account list` shows those that there are.")
        append_as_owner(warehouse, AuditEvent(actor, "account.reopen", f"account:{account}"))
        warehouse.execute("select ops.follow_account(%s)", (account,))
