"""What of the loads that are rolled back was already written into other systems (onefold/write_back), and what the
counter-plan, which the next conform causes, makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

MOST = 10_000
"""So many written records are looked at."""
# The records that publishes with these loads have written, and of each what a publish without the loads intends since.
_WRITTEN = """
with written as (
    select target, object, golden_id, max(intent_id) as intent_id,
        (array_agg(change order by intent_id desc))[1] as change
    from ops.outbox
    where change in ('create', 'update', 'delete') and state in ('sent', 'ambiguous', 'confirmed') and publish_id in (
        select publish_id from ops.publish_load join ops.publish using (publish_id)
        where load_id = any (%(loads)s) and not undone and ops.publish.state = 'published')
    group by 1, 2, 3 limit %(most)s)
select target, object, change, count(*) as records, count(*) filter (where counter.state is null) as left_as_is,
    count(*) filter (where counter.state in ('intended', 'sent', 'ambiguous')) as open,
    count(*) filter (where counter.state = 'refused') as refused,
    count(*) filter (where counter.state in ('confirmed', 'superseded')) as taken_back
from written left join lateral (
    select o.state from ops.outbox as o
    where o.target = written.target and o.object = written.object and o.golden_id = written.golden_id
        and o.intent_id > written.intent_id and exists (
            select from ops.publish_load as l
            where l.publish_id = o.publish_id and l.undone and l.load_id = any (%(loads)s))
    order by o.intent_id desc limit 1
) as counter on true
group by 1, 2, 3 order by 1, 2, 3
"""
_DONE = {"create": "made", "update": "changed", "delete": "deleted"}


@dataclass(frozen=True, slots=True)
class WrittenOut:
    """How many records of an object publishes with some loads have made, changed or deleted at a target, and what
    became of them after the loads were rolled back: the counter-plan has written it (`taken_back`), is to write it
    (`open`), a person has to (`refused`), or there is nothing to be written (`left_as_is`), as before the rollback."""

    target: str
    object: str
    change: str
    records: int
    left_as_is: int
    open: int
    refused: int
    taken_back: int

    @property
    def done(self) -> str:
        """What was done to the records, in a word."""
        return _DONE[self.change]


def loads_of(connection: psycopg.Connection, rollback_id: int) -> list[int]:
    """The loads that the rollback takes out; none for one that undoes another, or that there is not."""
    found = connection.execute(
        "select loads from ops.rollback where rollback_id = %s and undoes is null", (rollback_id,)
    ).fetchone()
    return list(found[0]) if found else []


def written_out(connection: psycopg.Connection, loads: Sequence[int]) -> list[WrittenOut]:
    """What publishes of these loads have written into other systems, of the first MOST records; by target."""
    with connection.cursor(row_factory=class_row(WrittenOut)) as cursor:
        return cursor.execute(_WRITTEN, {"loads": list(loads), "most": MOST}).fetchall()


def written_out_lines(connection: psycopg.Connection, loads: Sequence[int]) -> tuple[str, ...]:
    """In words, a line for each target: how many records were made and changed there, and how that is taken back; none
    where nothing was written."""
    by_target: dict[str, list[str]] = {}
    for each in written_out(connection, loads):
        by_target.setdefault(each.target, []).append(f"{each.records:,} {each.object} {each.done}")
    return tuple(
        f"Publishes with these loads were written out to {target}: {', '.join(counts)}. After the rollback the next "
        f"conform intends the values that are then in force: a counter-plan, which always waits for approval "
        f"(bin/onefold write-back {target} --plan). What was made there is deleted where the target's file permits it; "
        "else it is refused with its key, and somebody deletes it there."
        for target, counts in by_target.items()
    )
