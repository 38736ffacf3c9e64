"""Makes the warehouse: roles, database, schemas and tables. Safe to run at every start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

DDL = Path(__file__).parent / "ddl"
DATABASE = "warehouse"
ROLES = ("onefold_loader", "onefold_engineer", "onefold_analyst", "onefold_auditor")


def install(superuser_url: str, passwords: Mapping[str, str], database: str = DATABASE) -> None:
    """Create what is missing: the roles with these passwords, the database and all that is in it.

    `superuser_url` names any database of the server. Raises psycopg.Error when the server refuses.
    """
    with psycopg.connect(superuser_url, autocommit=True) as server:
        for role in ROLES:
            _ensure_role(server, role, passwords[role])
        _ensure_role(server, "onefold_pii", None)
        if not server.execute("select 1 from pg_database where datname = %s", (database,)).fetchone():
            server.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
        server.execute(
            sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)),
        )
        server.execute(
            sql.SQL("grant connect, temporary on database {} to {}").format(
                sql.Identifier(database), sql.SQL(", ").join(map(sql.Identifier, ROLES))
            )
        )
    install_schema(psycopg.conninfo.make_conninfo(superuser_url, dbname=database))


def install_schema(database_url: str) -> None:
    """Run every DDL file, in name order, in one transaction, as the superuser that `database_url` names."""
    with psycopg.connect(database_url) as connection:
        # Two starts at once would both find a table missing; the second waits for the first instead.
        connection.execute("select pg_advisory_xact_lock(hashtext('onefold install'))")
        for file in sorted(DDL.glob("*.sql")):
            connection.execute(file.read_bytes())


def _ensure_role(server: psycopg.Connection, role: str, password: str | None) -> None:
    name = sql.Identifier(role)
    if not server.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
        server.execute(sql.SQL("create role {}").format(name))
    if password is not None:
        server.execute(sql.SQL("alter role {} login password {}").format(name, sql.Literal(password)))
