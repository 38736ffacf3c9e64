"""What a look-up source answered (ops.lookup_cache), and which load gave which answer (ops.lookup_result)."""

from __future__ import annotations

import psycopg

from onefold.load.ledger import Load

MANY = 1000
"""From so many answers on PostgreSQL is told at once: its own look comes a minute later, and what it plans for a table
that it takes to be empty compares each answer with each."""


def store_lookup_results(connection: psycopg.Connection, load: Load) -> None:
    """Store the load's answers, inside the publishing transaction; a newer answer stays.

    The answer that was there before is stored as well, by its load, or it could not come back when this load is rolled
    back.
    """
    names = {"system": load.system, "stream": load.stream, "load_id": load.load_id}
    given = connection.execute(
        """
        with given as (
            select distinct on (lookup_key) lookup_key, outcome, answered_at, proof
            from landing.lookup_result where load_id = %(load_id)s order by lookup_key, answered_at desc
        )
        insert into ops.lookup_result (system, stream, lookup_key, load_id, outcome, answered_at, proof)
        select %(system)s, %(stream)s, lookup_key, %(load_id)s, outcome, answered_at, proof from given
        union all
        select system, stream, lookup_key, load_id, before.outcome, before.answered_at, before.proof
        from ops.lookup_cache before join given using (lookup_key)
        where system = %(system)s and stream = %(stream)s
        on conflict do nothing
        """,
        names,
    ).rowcount
    if not given:
        return
    connection.execute(
        """
        insert into ops.lookup_cache (system, stream, lookup_key, outcome, answered_at, proof, load_id)
        select system, stream, lookup_key, outcome, answered_at, proof, load_id
        from ops.lookup_result where load_id = %(load_id)s
        on conflict (system, stream, lookup_key) do update
        set outcome = excluded.outcome, answered_at = excluded.answered_at, proof = excluded.proof,
            load_id = excluded.load_id
        where ops.lookup_cache.answered_at < excluded.answered_at
        """,
        names,
    )
    if given >= MANY:
        connection.execute("analyze ops.lookup_cache, ops.lookup_result")
    # An answer that is final makes all that is older, and the standing one itself, known from ops.lookup_cache alone.
    connection.execute(
        """
        delete from ops.lookup_result old using ops.lookup_cache standing
        where standing.load_id in (select load_id from ops.load
                                   where system = %(system)s and stream = %(stream)s and rollback_until <= now())
          and standing.system = %(system)s and standing.stream = %(stream)s
          and old.system = standing.system and old.stream = standing.stream and old.lookup_key = standing.lookup_key
          and old.answered_at <= standing.answered_at
        """,
        names,
    )


def restore_lookup_cache(connection: psycopg.Connection, system: str, stream: str, loads: list[int]) -> None:
    """Let the questions that these loads answered have the newest answer of the loads that are published now."""
    names = {"system": system, "stream": stream, "loads": loads}
    connection.execute(
        """
        delete from ops.lookup_cache standing using ops.lookup_result given
        where given.load_id = any (%(loads)s) and given.system = %(system)s and given.stream = %(stream)s
          and standing.system = given.system and standing.stream = given.stream
          and standing.lookup_key = given.lookup_key
        """,
        names,
    )
    connection.execute(
        """
        insert into ops.lookup_cache (system, stream, lookup_key, outcome, answered_at, proof, load_id)
        select distinct on (lookup_key) given.system, given.stream, lookup_key, outcome, answered_at, proof, load_id
        from ops.lookup_result given join ops.load using (load_id)
        where given.system = %(system)s and given.stream = %(stream)s and ops.load.state = 'published'
          and lookup_key in (select lookup_key from ops.lookup_result
                           where load_id = any (%(loads)s) and system = %(system)s and stream = %(stream)s)
        order by lookup_key, answered_at desc, load_id
        """,
        names,
    )
