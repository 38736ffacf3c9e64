"""What of the loads that are rolled back was already written into other systems (onefold/write_back)."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

_WRITTEN = """
select target, object, change, count(distinct golden_id) from ops.outbox
where change in ('create', 'update', 'delete') and state in ('sent', 'ambiguous', 'confirmed') and publish_id in (
    select publish_id from ops.publish_load join ops.publish using (publish_id)
    where load_id = any (%s) and not undone and ops.publish.state = 'published')
group by 1, 2, 3 order by 1, 2, 3
"""
_DONE = {"create": "made", "update": "changed", "delete": "deleted"}


def written_out(connection: psycopg.Connection, loads: Sequence[int]) -> tuple[str, ...]:
    """In words, a line for each target: how many records the publishes of these loads have made and changed there, and
    how that is turned back; none where nothing was written."""
    by_target: dict[str, list[str]] = {}
    for target, name, change, count in connection.execute(_WRITTEN, (list(loads),)).fetchall():
        by_target.setdefault(target, []).append(f"{count:,} {name} {_DONE[change]}")
    return tuple(
        f"Publishes with these loads were written out to {target}: {', '.join(counts)}. The next conform intends "
        f"the values that are then in force; what that would write: bin/onefold write-back {target} --plan"
        for target, counts in by_target.items()
    )
