"""The warehouse's roles, as tests sign in with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from onefold.warehouse.access import ROLES

PASSWORDS = dict.fromkeys(ROLES, "test-only")


def as_role(url: str, role: str) -> str:
    """The same database, as another role of the warehouse."""
    parts = conninfo_to_dict(url)
    return f"postgresql://{role}:{PASSWORDS.get(role, 'test-only')}@{parts['host']}:{parts['port']}/{parts['dbname']}"


@contextmanager
def trusted(url: str, *duties: str) -> Iterator[None]:
    """While it lasts there are roles trusted_<duty>: as onefold_<duty>, and members of onefold_pii."""
    with psycopg.connect(url, autocommit=True) as owner:
        for duty in duties:
            owner.execute(
                sql.SQL("create role {} login password 'test-only' in role {}, onefold_pii").format(
                    sql.Identifier(f"trusted_{duty}"), sql.Identifier(f"onefold_{duty}")
                )
            )
        try:
            yield
        finally:
            for duty in duties:
                owner.execute(sql.SQL("drop role {}").format(sql.Identifier(f"trusted_{duty}")))
