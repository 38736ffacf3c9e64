"""Makes the warehouse: roles, database, schemas and tables. Safe to run at every start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from onefold.errors import Fatal

DDL = Path(__file__).parent / "ddl"
SCHEMA = 2
"""One more whenever a table changes so that the DDL files, which only ever add, cannot bring an older one up to it."""
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
    """Run every DDL file, in name order, in one transaction, as the superuser that `database_url` names.

    Raises Fatal when the warehouse was made by an older Onefold whose tables were others.
    """
    with psycopg.connect(database_url) as connection:
        # Two starts at once would both find a table missing; the second waits for the first instead.
        connection.execute("select pg_advisory_xact_lock(hashtext('onefold install'))")
        _refuse_an_older_one(connection)
        for file in sorted(DDL.glob("*.sql")):
            connection.execute(file.read_bytes())
        connection.execute(sql.SQL("comment on schema ops is {}").format(_marked(SCHEMA)))


def _marked(schema: int) -> str:
    return f"onefold schema {schema}"


def _refuse_an_older_one(connection: psycopg.Connection) -> None:
    found = connection.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = 'ops'"
    ).fetchone()
    if found and found[0] != _marked(SCHEMA):
        raise Fatal(
            f"The warehouse was made by an older Onefold ({found[0] or _marked(1)}; this one needs schema {SCHEMA}) "
            "and cannot be changed in place. Export what you need from it, then delete it with "
            "bin/onefold down --delete-data and load anew, or go on with the Onefold that made it."
        )


def _ensure_role(server: psycopg.Connection, role: str, password: str | None) -> None:
    name = sql.Identifier(role)
    if not server.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
        server.execute(sql.SQL("create role {}").format(name))
    if password is not None:
        server.execute(sql.SQL("alter role {} login password {}").format(name, sql.Literal(password)))
