"""The indexes by which golden records are found by a part of a name or number (golden_sql/views.sql).

They are over the rows themselves, of the versions that no publish has ended: what is published, ended or erased there
is so here too, at a cost in proportion to what changed. Without pg_trgm a search reads every golden record; so it does
of an entity with few of them, which takes less than the index would cost each publish.
"""

from __future__ import annotations

import hashlib

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.mapping.golden import search_text
from onefold.warehouse.trigrams import trigram_class

FEW = 20_000
"""So many golden records are read in less than a second; keeping the indexes costs about 0.13 ms per changed one."""

_MADE = "select obj_description(to_regclass(%s), 'pg_class')"


def ensure_search_indexes(connection: psycopg.Connection, entity: Entity) -> None:
    """Make those that are missing, or are over another text than the catalogue's, in the caller's transaction."""
    trigrams = trigram_class(connection)
    if trigrams is None:
        return
    table = f"{entity.entity}_version"
    for name, people in ((f"{table}_search", False), (f"{table}_search_people", True)):
        index = sql.Identifier("conformed", name)
        text = search_text(entity, people=people)
        note = f"Searched text {hashlib.sha256(text.encode()).hexdigest()}" if text else None
        made = connection.execute(_MADE, (index.as_string(connection),)).fetchone()
        if made == (note,):
            continue
        connection.execute(sql.SQL("drop index if exists {}").format(index))
        if text and note and _are_many(connection, table):
            on = sql.SQL("create index {} on {} using gin").format(
                sql.Identifier(name), sql.Identifier("conformed", table)
            )
            over = sql.SQL(f"(({text}) {{}})").format(trigrams)  # names from the catalogue, whose reader checks them
            connection.execute(sql.SQL("{} {} where _ended_publish_id is null").format(on, over))
            connection.execute(sql.SQL("comment on index {} is {}").format(index, sql.Literal(note)))


def _are_many(connection: psycopg.Connection, table: str) -> bool:
    query = sql.SQL("select from {} where _ended_publish_id is null limit 1 offset {}").format(
        sql.Identifier("conformed", table), sql.Literal(FEW)
    )
    return connection.execute(query).fetchone() is not None
