"""Makes the warehouse: roles, database, schemas and tables. Safe to run at every start."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg import sql

from onefold.warehouse.access import GROUPS, MAY_BECOME, MEMBERS, ROLES, apply_access
from onefold.warehouse.schema import Upgrade, upgrade_schema
from onefold.warehouse.statement_statistics import UNCOUNTED, count_statements
from onefold.warehouse.trigrams import make_name_indexes, make_trigrams

DATABASE = "warehouse"
DEFINER = "onefold_definer"
"""Owns the functions that may do what no role may that signs in: append to the audit chain. Nobody signs in as it."""


def install(superuser_url: str, passwords: Mapping[str, str], database: str = DATABASE) -> Upgrade:
    """Create what is missing: the roles with these passwords, the database and all that is in it.

    `superuser_url` names any database of the server. Raises psycopg.Error when the server refuses a role or the
    database, and what upgrade_schema() raises.
    """
    with psycopg.connect(superuser_url, autocommit=True) as server:
        server.execute(UNCOUNTED)  # statements with passwords
        for role in ROLES:
            _ensure_role(server, role, passwords[role])
        for group in (*GROUPS, DEFINER):
            _ensure_role(server, group, None)
        for member, of in MEMBERS:
            _ensure_member(server, member, of)
        for member, other in MAY_BECOME:
            _let_become(server, member, other)
        if not server.execute("select 1 from pg_database where datname = %s", (database,)).fetchone():
            server.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
        apply_access(server, database)
    warehouse = psycopg.conninfo.make_conninfo(superuser_url, dbname=database)
    upgrade = upgrade_schema(warehouse)
    with psycopg.connect(warehouse, autocommit=True) as connection:
        count_statements(connection, DEFINER)
        make_trigrams(connection)
        make_name_indexes(connection)
    return upgrade


def _ensure_role(server: psycopg.Connection, role: str, password: str | None) -> None:
    name = sql.Identifier(role)
    if not server.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
        server.execute(sql.SQL("create role {}").format(name))
    if password is not None:
        server.execute(sql.SQL("alter role {} login password {}").format(name, sql.Literal(password)))


def _ensure_member(server: psycopg.Connection, member: str, of: str) -> None:
    if server.execute("select pg_has_role(%s, %s, 'usage')", (member, of)).fetchone() == (False,):
        server.execute(sql.SQL("grant {} to {}").format(sql.Identifier(of), sql.Identifier(member)))


def _let_become(server: psycopg.Connection, member: str, other: str) -> None:
    """`set role` and nothing else: the rights do not apply before it."""
    asked = "select pg_has_role(%(member)s, %(other)s, 'set'), pg_has_role(%(member)s, %(other)s, 'usage')"
    if server.execute(asked, {"member": member, "other": other}).fetchone() != (True, False):
        change = sql.SQL("grant {} to {} with inherit false, set true")
        server.execute(change.format(sql.Identifier(other), sql.Identifier(member)))
