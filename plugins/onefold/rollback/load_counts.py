"""The ledger's counts of the rows that each load wrote, corrected by a rollback."""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.rollback.stream_change import StreamChange
from onefold.warehouse.rows import one_row

Counts = dict[int, tuple[int, int, int, int, int]]
"""By load id, of the affected keys: rows new, changed, deleted, quarantined, and values withheld."""


def count_rows(connection: psycopg.Connection, change: StreamChange) -> Counts:
    """Count what the loads from the change's first one on have written of the affected keys."""
    rows = connection.execute(
        sql.SQL(
            """
            select _load_id, sum(new)::bigint, sum(changed)::bigint, sum(deleted)::bigint, sum(refused)::bigint,
                   sum(withheld)::bigint
            from (
                select _load_id, (not known and not _deleted)::int as new, (known and not _deleted)::int as changed,
                       _deleted::int as deleted, 0 as refused,
                       (select count(*) from jsonb_object_keys(_withheld)) as withheld
                from (
                    select v._load_id, v._deleted, v._withheld, exists (
                        select from {staging} e where e._key = v._key and e._load_id < v._load_id
                    ) as known
                    from {staging} v where v._key in (select _key from affected_key) and v._load_id >= {first_load}
                ) versions
                union all
                select load_id, 0, 0, 0, 1, 0 from ops.quarantine
                where system = {system} and stream = {stream} and load_id >= {first_load} and state <> 'rolled_back'
                  and attribute is null and _key in (select _key from affected_key)
            ) written group by 1
            """
        ).format(**change.names)
    ).fetchall()
    return {
        load_id: (new, changed, deleted, refused, withheld)
        for load_id, new, changed, deleted, refused, withheld in rows
    }


def update_load_counts(connection: psycopg.Connection, change: StreamChange, before: Counts, after: Counts) -> None:
    """Correct ops.load by the difference. A load that is rolled back keeps the counts of what it had written."""
    nothing = (0, 0, 0, 0, 0)
    for load_id in before.keys() | after.keys():
        old, new = before.get(load_id, nothing), after.get(load_id, nothing)
        if load_id in change.loads and change.target == "rolled_back":
            continue
        if load_id in change.loads:
            without_key = one_row(
                connection.execute(
                    "select count(*) from ops.quarantine where load_id = %s and _key is null", (load_id,)
                )
            )[0]
            connection.execute(
                "update ops.load set rows_new = %s, rows_changed = %s, rows_deleted = %s, rows_quarantined = %s,"
                " values_withheld = %s where load_id = %s",
                (*new[:3], new[3] + without_key, new[4], load_id),
            )
        elif old != new:
            connection.execute(
                "update ops.load set rows_new = rows_new + %s, rows_changed = rows_changed + %s,"
                " rows_deleted = rows_deleted + %s, rows_quarantined = rows_quarantined + %s,"
                " values_withheld = values_withheld + %s where load_id = %s",
                (*(b - a for a, b in zip(old, new, strict=True)), load_id),
            )
