"""What a load has left behind, row by row; and whether the ledger tells the truth about it.

Left out of the comparison is only what no two runs share:
- times of our own clock (started_at, moved_at, at, event_time, seconds_…): when it happened;
- quarantine_id and event_id: sequences do not give back the numbers of a transaction that was rolled back; the rows'
  order is compared instead. Load ids differ for the same reason; the undisturbed run is given the same ones;
- hash and previous_hash of an audit event, which seal its time too: the chain is verified as a whole instead;
- the database's name and the server's port, which stand in the names of lineage's datasets.
Measurements of one attempt (ops.usage) are no part of the outcome.
"""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from psycopg import sql

from onefold.audit import anchors, entries_from_database, verify

_WITHOUT = {
    "staging.shop__customer": (),
    "staging.shop__customer__current": (),
    "ops.load": (
        "started_at",
        "last_active",
        "ended_at",
        "rollback_until",
        "seconds_extracting",
        "seconds_gating",
        "seconds_publishing",
        "cpu_seconds",
    ),
    "ops.cursor": ("moved_at",),
    "ops.quarantine": ("quarantine_id", "quarantined_at", "closed_at"),
    "ops.gate_result": ("at",),
    "ops.contract_change": ("at",),
    "ops.lookup_cache": (),
    "audit.event": ("at", "hash", "previous_hash"),
    "lineage.event": ("event_id", "event_time"),
    "lineage.dataset_edge": (),
    "landing.resume_token": (),
    "landing.lookup_result": (),
    "landing.unreadable": (),
}
_ORDER = {"audit.event": "seq", "lineage.event": "event_id"}
_AGAIN = re.compile(r'"action": "load\.(land|gate|attempt)"|"event_type": "RUNNING"')
"""What a load says each time that it has landed, was judged, or failed."""

LIES = {
    "a load that is over has landing tables": """
        select tablename from pg_tables where schemaname = 'landing' and tablename like 'load\\_%'
        and not exists (select from ops.load where state in ('extracting', 'landed', 'gated')
                        and load_id = substring(tablename from 'load_([0-9]+)')::bigint)
    """,
    "a load that is over has landing rows": """
        select load_id from (select load_id from landing.resume_token
                             union all select load_id from landing.lookup_result
                             union all select load_id from landing.unreadable) as landed
        where load_id not in (select load_id from ops.load where state in ('extracting', 'landed', 'gated'))
    """,
    "rows are visible of a load that is not published": """
        select _load_id from staging.shop__customer union select load_id from ops.quarantine
        union select load_id from ops.cursor union select load_id from ops.lookup_cache
        union select load_id from lineage.dataset_edge
        union select substring(subject from '[0-9]+')::bigint from audit.event where action = 'load.publish'
        except select load_id from ops.load where state = 'published'
    """,
    "a published load lacks its verdict, its end, its audit event or its lineage": """
        select load_id from ops.load where state = 'published' and (
            verdict is distinct from 'passed' or ended_at is null
            or 1 <> (select count(*) from audit.event
                     where action = 'load.publish' and subject = format('load:%s', load_id))
            or 1 <> (select count(*) from lineage.dataset_edge as edge where edge.load_id = load.load_id))
    """,
    "a published load says another number of rows than it wrote": """
        select load_id from ops.load where state = 'published'
        and rows_new + rows_changed + rows_deleted
            <> (select count(*) from staging.shop__customer where _load_id = load_id)
        or rows_quarantined <> (select count(*) from ops.quarantine as q where q.load_id = load.load_id)
    """,
    "a load in progress has ended, or one that is over has not": """
        select load_id from ops.load
        where (state in ('extracting', 'landed', 'gated')) <> (ended_at is null)
    """,
}


def observe(url: str) -> dict[str, list[str]]:
    """Every row of every table that a load writes to, as text."""
    seen: dict[str, list[str]] = {}
    with psycopg.connect(url) as connection:
        for table, without in _WITHOUT.items():
            name = sql.Identifier(*table.split("."))
            query = sql.SQL(
                "select ((to_jsonb(t) - %s::text[]) #- '{{event,eventTime}}')::text from {} as t order by {}"
            )
            rows = connection.execute(query.format(name, sql.SQL(_ORDER.get(table, "1"))), (list(without),)).fetchall()
            seen[table] = [_anonymous(row) for (row,) in rows]
        tables = "select tablename from pg_tables where schemaname = 'landing' order by 1"
        seen["tables of landing"] = [row[0] for row in connection.execute(tables).fetchall()]
    return seen


def landing(url: str, load_id: int) -> list[str]:
    """Every row that a load in progress has landed."""
    pages = sql.Identifier("landing", f"load_{load_id}")
    with psycopg.connect(url) as connection:
        rows = connection.execute(sql.SQL("select t::text from {} as t").format(pages)).fetchall()
        rows += connection.execute(
            "select u::text from landing.unreadable as u where load_id = %(load)s union all"
            " select a::text from landing.lookup_result as a where load_id = %(load)s union all"
            " select format('%%s %%s', token, complete) from landing.resume_token where load_id = %(load)s",
            {"load": load_id},
        ).fetchall()
    return sorted(row for (row,) in rows)


def told_once(seen: dict[str, list[str]]) -> dict[str, list[str]]:
    """The same without numbering and repetition of what a load says whenever it has landed or was judged.

    A crash of PostgreSQL empties landing: a load lands and is judged twice, and its audit and lineage rightly say so.
    """
    return {
        **seen,
        "audit.event": _once([re.sub(r'"seq": \d+, ', "", row) for row in seen["audit.event"]]),
        "lineage.event": _once(seen["lineage.event"]),
    }


def lies(url: str) -> list[str]:
    """What the ledger says that is not so."""
    with psycopg.connect(url) as connection:
        if connection.execute("select to_regclass('staging.shop__customer')").fetchone()[0] is None:
            return []
        return [lie for lie, query in LIES.items() if connection.execute(query).fetchall()] + [
            f"load {load_id} says that it has read {rows_read} rows; {landed} have landed"
            for load_id, rows_read, landed in _landed(connection)
            if rows_read != landed
        ]


def chain_fault(url: str, anchor: Path) -> str | None:
    """What `onefold audit verify` finds wrong, in the chain and against the anchors outside the database."""
    with psycopg.connect(url) as connection:
        verdict = verify(entries_from_database(connection), anchors(anchor) if anchor.exists() else ())
    return str(verdict.fault) if verdict.fault else None


def _landed(connection: psycopg.Connection) -> list[tuple[int, int, int]]:
    """(load, rows that it says to have read, rows that are there), of each load whose landing is there."""
    found = []
    for load_id, rows_read in connection.execute(
        "select load_id, rows_read from ops.load join landing.resume_token using (load_id)"
    ).fetchall():
        landed = connection.execute(
            sql.SQL(
                "select (select count(*) from {}) + (select count(*) from landing.unreadable where load_id = %s)"
            ).format(sql.Identifier("landing", f"load_{load_id}")),
            (load_id,),
        ).fetchone()[0]
        found.append((load_id, rows_read, landed))
    return found


def _once(rows: list[str]) -> list[str]:
    return sorted({row for row in rows if _AGAIN.search(row) and "load.attempt" not in row}) + sorted(
        row for row in rows if not _AGAIN.search(row)
    )


def _anonymous(row: str) -> str:
    return re.sub(r"127\.0\.0\.1:\d+", "server", re.sub(r"w_[0-9a-f]{12}", "warehouse", row))
