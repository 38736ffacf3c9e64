"""PostgreSQL's extension pg_trgm, by which a part of a text is found through an index.

Source: https://www.postgresql.org/docs/current/pgtrgm.html
"""

from __future__ import annotations

import logging

import psycopg
from psycopg import sql

log = logging.getLogger(__name__)

_CLASS = """
select n.nspname, c.opcname from pg_opclass as c join pg_namespace as n on n.oid = c.opcnamespace
where c.opcname = 'gin_trgm_ops'"""


def make_trigrams(connection: psycopg.Connection) -> None:
    """Make the extension in schema ops, where it is not there.

    Changes nothing where the server has no such extension, or does not let us: a search then reads every record.
    """
    if trigram_class(connection) is not None:
        return
    try:
        connection.execute("create extension pg_trgm schema ops")
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported, psycopg.errors.UndefinedFile):
        log.warning(
            "This PostgreSQL does not let %s make the extension pg_trgm: a search of golden records reads every one of "
            "them. Its superuser can: create extension pg_trgm schema ops.",
            connection.info.user,
        )


def trigram_class(connection: psycopg.Connection) -> sql.Composable | None:
    """The operator class of an index over trigrams; None where the extension is not there."""
    found = connection.execute(_CLASS).fetchone()
    return sql.Identifier(*found) if found else None


def make_name_indexes(connection: psycopg.Connection) -> None:
    """Make the indexes by which the register API finds companies by a part of their name, where they are missing."""
    trigrams = trigram_class(connection)
    if trigrams is None:
        return
    for column in ("name_form", "name_form_people"):
        connection.execute(
            sql.SQL("create index if not exists {} on ops.api_company using gin ({} {})").format(
                sql.Identifier(f"api_company_by_{column}"), sql.Identifier(column), trigrams
            )
        )
