"""Logins of persons: a role of the server that is a member of a duty's role, with that duty's rights and limits.

The superuser makes them. What it sends holds a password as SCRAM verifier only, so none reaches a log.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg import sql

from onefold.audit import AuditEvent
from onefold.audit.owner import append_as_owner
from onefold.errors import Fatal
from onefold.warehouse.access import apply_access
from onefold.warehouse.install import DEFINER
from onefold.warehouse.statement_statistics import UNCOUNTED, count_statements

Duty = Literal["analyst", "engineer", "auditor"]
_MARK = "onefold login"
"""The comment of a role that was made here: no other is listed, changed or removed."""
_NAME = re.compile(r"[a-z][a-z0-9_.-]{1,62}")
_OURS = ("pg_", "onefold_", "erp")
_THERE = """
select coalesce(shobj_description(r.oid, 'pg_authid') = %s, false) from pg_roles as r where r.rolname = %s"""
_LIST = """
select r.rolname, coalesce(d.duty, 'none'), pg_has_role(r.oid, 'onefold_pii', 'usage'), r.rolconnlimit
    , coalesce((select split_part(s, '=', 2) from pg_db_role_setting, unnest(setconfig) as s
        where setrole = r.oid and setdatabase = 0 and s like 'statement_timeout=%%'), '')
    , (select count(*) from pg_stat_activity as a where a.usesysid = r.oid)
from pg_roles as r left join lateral (
    select substr(of.rolname, 9) as duty from pg_auth_members as m join pg_roles as of on of.oid = m.roleid
    where m.member = r.oid and of.rolname in ('onefold_analyst', 'onefold_engineer', 'onefold_auditor') limit 1
) as d on true
where shobj_description(r.oid, 'pg_authid') = %s order by 1"""


@dataclass(frozen=True)
class Login:
    """A login as it is now; `duty` is none for that of an account whose groups allow nothing. `statement_timeout` is ""
    where there is none; `sessions` are open."""

    name: str
    duty: str
    pii: bool
    most_sessions: int
    statement_timeout: str
    sessions: int


def logins(server: psycopg.Connection) -> list[Login]:
    """All that were made here, by name."""
    return [Login(*row) for row in server.execute(_LIST, (_MARK,)).fetchall()]


def add_login(warehouse: psycopg.Connection, name: str, duty: Duty, *, pii: bool, actor: str) -> str:
    """Make the login and return its password, which is stored nowhere. As the superuser, connected to the warehouse.

    Raises Fatal when the name cannot be one, or is another role's.
    """
    if not _NAME.fullmatch(name) or name.startswith(_OURS) or name == "airflow":
        raise Fatal(
            f"{name!r} cannot be a login: use 2 to 63 of a-z, 0-9, _ . and -, with a letter first, and no name "
            "of Onefold or PostgreSQL (onefold_…, pg_…)."
        )
    warehouse.execute(UNCOUNTED)
    if warehouse.execute(_THERE, (_MARK, name)).fetchone() is not None:
        raise Fatal(f"There is a role {name} already. `bin/onefold user password {name}` gives it a new password.")
    password = secrets.token_urlsafe(24)
    with warehouse.transaction():
        member_of = [f"onefold_{duty}", *(["onefold_pii"] if pii else [])]
        warehouse.execute(
            sql.SQL("create role {} login password {} in role {}").format(
                sql.Identifier(name),
                _verifier(warehouse, name, password),
                sql.SQL(", ").join(map(sql.Identifier, member_of)),
            )
        )
        warehouse.execute(sql.SQL("comment on role {} is {}").format(sql.Identifier(name), sql.Literal(_MARK)))
        _tell(warehouse, actor, "login.add", name, {"role": duty, "pii": pii})
    apply_access(warehouse, warehouse.info.dbname)
    count_statements(warehouse, DEFINER)
    return password


def rotate_password(warehouse: psycopg.Connection, name: str, *, actor: str) -> str:
    """Give the login another password, return it, and end the sessions of the one before. Raises Fatal when there is
    no such login."""
    _require(warehouse, name)
    password = secrets.token_urlsafe(24)
    with warehouse.transaction():
        warehouse.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(name), _verifier(warehouse, name, password))
        )
        _tell(warehouse, actor, "login.password", name, {})
    _end_sessions(warehouse, name)
    return password


def remove_login(warehouse: psycopg.Connection, name: str, *, actor: str) -> None:
    """End the login's sessions and remove it. Raises Fatal when there is no such login, or it owns something or holds
    a right that somebody gave it by hand."""
    _require(warehouse, name)
    warehouse.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(name)))
    _end_sessions(warehouse, name)
    try:
        with warehouse.transaction():
            warehouse.execute("update ops.account set login = null where login = %s", (name,))
            warehouse.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
            _tell(warehouse, actor, "login.remove", name, {})
    except psycopg.errors.DependentObjectsStillExist as error:
        raise Fatal(
            f"{name} can no longer sign in, but is not removed: {error.diag.message_detail}. Take that away, "
            f"then run `bin/onefold user remove {name}` again."
        ) from None


def _require(warehouse: psycopg.Connection, name: str) -> None:
    warehouse.execute(UNCOUNTED)
    if warehouse.execute(_THERE, (_MARK, name)).fetchone() != (True,):
        there = ", ".join(each.name for each in logins(warehouse)) or "none"
        raise Fatal(f"There is no login {name} that `bin/onefold user add` has made; there are: {there}.")


def _verifier(warehouse: psycopg.Connection, name: str, password: str) -> sql.Composable:
    """What PostgreSQL keeps of the password, made here."""
    made = warehouse.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
    return sql.Literal(made.decode())


def _end_sessions(warehouse: psycopg.Connection, name: str) -> None:
    warehouse.execute("select pg_terminate_backend(pid, 2000) from pg_stat_activity where usename = %s", (name,))


def _tell(warehouse: psycopg.Connection, actor: str, action: str, name: str, payload: dict[str, str | bool]) -> None:
    append_as_owner(warehouse, AuditEvent(actor, action, f"login:{name}", payload=payload))
