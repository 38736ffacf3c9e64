"""What was written of a person into other systems (onefold/write_back), to which, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

import psycopg

from onefold.catalog.target import Target
from onefold.privacy.subject import Subject
from onefold.subject_report.model import WrittenOut

_WRITTEN = """
select o.target, o.object, o.target_key, o.change, o.sent_at,
    coalesce((select array_agg(distinct name order by name) from ops.write_back_plan_row as r,
        jsonb_object_keys(r.after) as name where r.intent_id = o.intent_id and r.outcome is not null), '{}')
from ops.outbox as o
where o.golden_id = any (%s) and o.sent_at is not null and o.change <> 'nothing'
    and (o.state in ('sent', 'ambiguous', 'confirmed') or o.target_key is not null)
order by o.sent_at desc, o.intent_id desc
"""


def written_out(
    connection: psycopg.Connection, targets: Mapping[str, Target], subject: Subject
) -> Iterator[WrittenOut]:
    """Each time that a system was given something of the person, the newest first; also where its answer was lost."""
    ids = [UUID(golden_id) for _, golden_id in sorted(subject.golden)]
    for target, name, key, change, at, fields in connection.execute(_WRITTEN, (ids,)).fetchall():
        title = targets[target].title if target in targets else target
        yield WrittenOut(target, title, name, key, change, at, fields)
