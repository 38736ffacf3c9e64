"""What holds for the whole server: who may connect to what, and how much of the server a reader may take.

What holds within the warehouse is in migrations/repeatable (90_grants.sql and those after it). Databases, roles and
members that are made later are brought in line by the next `bin/onefold up`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

ROLES = (
    "onefold_loader",
    "onefold_engineer",
    "onefold_analyst",
    "onefold_auditor",
    "onefold_approvals",
    "onefold_console",
    "onefold_receiver",
    "onefold_api",
    "onefold_api_writer",
)
CONSOLE_PII = "onefold_console_pii"
"""What the console's session becomes while it reads personal values (console/reading.py)."""
API_PEOPLE = "onefold_api_people"
"""What the register API's session becomes for a client that may see personal data (serve/database.py)."""
GROUPS = ("onefold_pii", CONSOLE_PII, API_PEOPLE)
"""Roles that nobody signs in as."""
MEMBERS = (
    ("onefold_console", "onefold_engineer"),
    (CONSOLE_PII, "onefold_engineer"),
    (CONSOLE_PII, "onefold_pii"),
    ("onefold_api_writer", "onefold_api"),
)
"""Roles that have the rights and limits of another."""
MAY_BECOME = (("onefold_console", CONSOLE_PII), ("onefold_api", API_PEOPLE), ("onefold_api_writer", API_PEOPLE))
"""Roles that have another's rights only while they say so, by `set role`."""
MAY_MAKE_TEMPORARY_TABLES = ("onefold_loader", "onefold_engineer")
"""temp_file_limit does not count them: whoever may make them may fill the disk."""


@dataclass(frozen=True)
class Limits:
    """What each login of a role may take: sessions at once, and PostgreSQL settings that its sessions begin with.

    A session may change its time-outs, not its temp_file_limit; ops.end_overdue_readers ends those that stay too long.
    """

    sessions: int
    settings: Mapping[str, str]


_ANALYST = Limits(
    20,
    {
        "statement_timeout": "15min",
        "transaction_timeout": "30min",
        "idle_in_transaction_session_timeout": "5min",
        "lock_timeout": "30s",
        "temp_file_limit": "10GB",
    },
)
READER_LIMITS: Mapping[str, Limits] = {
    "onefold_analyst": _ANALYST,
    "onefold_auditor": Limits(10, _ANALYST.settings),
    "onefold_engineer": Limits(
        40, {"idle_in_transaction_session_timeout": "15min", "lock_timeout": "30s", "temp_file_limit": "50GB"}
    ),
}

ENGINE_LIMITS: Mapping[str, str] = {"statement_timeout": "6h", "lock_timeout": "10min"}
"""What the engine's own sessions begin with, dbt's and Great Expectations' too: a statement that hangs ends long before
its task would be ended. Another value that somebody has given the role stays."""


def apply_access(server: psycopg.Connection, database: str) -> None:
    """Close every database to PUBLIC, open the warehouse to its roles, and limit what its readers take.

    As the superuser. Changes only what is otherwise; raises psycopg.Error when the server refuses.
    """
    _close_databases(server)
    _open_to_roles(server, database)
    for role, limits in READER_LIMITS.items():
        _limit_logins(server, role, limits)
    _bound_engine(server, "onefold_loader")
    for role in ("onefold_loader", "airflow"):
        _reserve_connections(server, role)


def _close_databases(server: psycopg.Connection) -> None:
    """PostgreSQL lets everybody connect to each new database, and make temporary tables there."""
    open_to_all = server.execute(
        "select datname from pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) as granted"
        " where granted.grantee = 0 group by datname"
    ).fetchall()
    for (name,) in open_to_all:
        try:
            server.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
        except psycopg.errors.InvalidCatalogName:  # dropped since
            continue


def _open_to_roles(server: psycopg.Connection, database: str) -> None:
    name = sql.Identifier(database)
    for right, roles in (("connect", ROLES), ("temporary", MAY_MAKE_TEMPORARY_TABLES)):
        for role in ROLES:
            granted = server.execute(
                "select exists (select from pg_database, aclexplode(datacl) as a where datname = %s"
                " and a.grantee = %s::regrole and a.privilege_type = upper(%s))",
                (database, role, right),
            ).fetchone() == (True,)
            if granted != (role in roles):
                change = "revoke {} on database {} from {}" if granted else "grant {} on database {} to {}"
                server.execute(sql.SQL(change).format(sql.SQL(right), name, sql.Identifier(role)))


def _limit_logins(server: psycopg.Connection, role: str, limits: Limits) -> None:
    """The role itself and its members that sign in, for settings and session limits are not inherited. A member's own,
    lower session limit stays; the engine and superusers have none."""
    logins = server.execute(
        "select r.rolname, r.rolconnlimit, coalesce(s.setconfig, '{}') from pg_roles as r"
        " left join pg_db_role_setting as s on s.setrole = r.oid and s.setdatabase = 0"
        " where r.rolcanlogin and pg_has_role(r.oid, %s, 'member')"
        " and not pg_has_role(r.oid, 'onefold_loader', 'member')",
        (role,),
    ).fetchall()
    for name, sessions, configured in logins:
        login = sql.Identifier(name)
        if sessions < 0 or sessions > limits.sessions:
            server.execute(sql.SQL("alter role {} connection limit {}").format(login, sql.Literal(limits.sessions)))
        for setting, value in limits.settings.items():
            if f"{setting}={value}" not in configured:
                server.execute(
                    sql.SQL("alter role {} set {} to {}").format(login, sql.Identifier(setting), sql.Literal(value))
                )


def _bound_engine(server: psycopg.Connection, role: str) -> None:
    configured = server.execute(
        "select split_part(setting, '=', 1) from pg_db_role_setting, unnest(setconfig) as setting"
        " where setrole = %s::regrole and setdatabase = 0",
        (role,),
    ).fetchall()
    for setting, value in ENGINE_LIMITS.items():
        if (setting,) not in configured:
            server.execute(
                sql.SQL("alter role {} set {} to {}").format(
                    sql.Identifier(role), sql.Identifier(setting), sql.Literal(value)
                )
            )


def _reserve_connections(server: psycopg.Connection, role: str) -> None:
    """However many logins there are, readers cannot take the connections that reserved_connections keeps."""
    found = server.execute(
        "select pg_has_role(oid, 'pg_use_reserved_connections', 'member') from pg_roles where rolname = %s", (role,)
    ).fetchone()
    if found == (False,):
        server.execute(sql.SQL("grant pg_use_reserved_connections to {}").format(sql.Identifier(role)))
