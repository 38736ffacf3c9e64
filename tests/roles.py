"""The warehouse's roles, as tests sign in with them."""

from __future__ import annotations

from psycopg.conninfo import conninfo_to_dict

from onefold.warehouse.access import ROLES

PASSWORDS = dict.fromkeys(ROLES, "test-only")


def as_role(url: str, role: str) -> str:
    """The same database, as another role of the warehouse."""
    parts = conninfo_to_dict(url)
    return f"postgresql://{role}:{PASSWORDS[role]}@{parts['host']}:{parts['port']}/{parts['dbname']}"
