"""Databases in the installation's own PostgreSQL for the stand-ins of systems that are read over SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

NAMES = ("erp",)
"""Each is a database, the role that owns it (the sandbox fills it), and, with _reader, the role that reads it, and to
which the sandbox lends what is written from outside."""


def reader(name: str) -> str:
    """The role that Onefold signs in with."""
    return f"{name}_reader"


def create_databases(superuser_url: str, passwords: Mapping[str, str], names: Sequence[str] = NAMES) -> None:
    """Make what is missing: databases and roles, with these passwords. Raises psycopg.Error when refused."""
    with psycopg.connect(superuser_url, autocommit=True) as server:
        for name in names:
            owner, reads = sql.Identifier(name), sql.Identifier(reader(name))
            for role in (name, reader(name)):
                if not server.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
                    server.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
                secret = sql.Literal(passwords[role])
                server.execute(sql.SQL("alter role {} login password {}").format(sql.Identifier(role), secret))
            server.execute(sql.SQL("alter role {} replication").format(reads))  # to read the log
            # Each look into a slot would write two lines into the server's log.
            server.execute(sql.SQL("alter role {} set log_min_messages = 'fatal'").format(reads))
            if not server.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
                server.execute(sql.SQL("create database {} owner {}").format(owner, owner))
            server.execute(sql.SQL("revoke all on database {} from public").format(owner))
            server.execute(sql.SQL("grant connect on database {} to {}").format(owner, reads))
    for name in names:
        with psycopg.connect(psycopg.conninfo.make_conninfo(superuser_url, dbname=name)) as inside:
            inside.execute(
                sql.SQL("alter default privileges for role {} in schema public grant select on tables to {}").format(
                    sql.Identifier(name), sql.Identifier(reader(name))
                )
            )
