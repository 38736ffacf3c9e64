"""Who read personal columns: through `onefold sql`, in the console, and directly as PostgreSQL counts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import psycopg
from psycopg.rows import class_row

from onefold.insight.page import Page, bounded, page_of

_PAGE = """
select e.seq, e.at, regexp_replace(e.actor, '^role:', '') as reader,
    case e.action when 'read.begin' then case e.payload ->> 'form' when 'page' then 'console' else 'sql' end
        when 'read.gap' then 'gap' else 'direct' end as how,
    concat_ws(' ', e.payload ->> 'entity', e.payload ->> 'golden_id', e.payload ->> 'stream',
        'row ' || (e.payload ->> 'quarantine_id'),
        'write-back plan ' || (e.payload ->> 'write_back_plan')) as about,
    coalesce((e.payload -> 'columns_known')::boolean, false) as columns_known,
    array(select jsonb_array_elements_text(e.payload -> 'personal_columns')) as personal_columns,
    greatest((e.payload -> 'plans')::bigint, (e.payload -> 'calls')::bigint) as times,
    (e.payload -> 'rows')::bigint as rows,
    coalesce(s.text, 'forgotten by erasure ' || s.erasure_id, e.payload ->> 'reason', '') as statement
from audit.event as e left join audit.statement as s on e.subject = 'statement:' || encode(s.name, 'hex')
where (%(before)s::bigint is null or e.seq < %(before)s) and (e.action = 'read.gap'
    or e.action in ('read.begin', 'read.statements')
        and (e.payload -> 'personal_columns' <> '[]' or e.payload -> 'columns_known' = 'false'))
order by e.seq desc limit %(rows)s
"""


@dataclass(frozen=True, slots=True)
class Read:
    """One recorded read of personal columns, or of columns that are not known; or a gap, whose reason is `statement`.

    `reader` is the database role, of `sql` with who ran the command, of `console` with who looked. `about` names the
    golden record, the row in quarantine, or the plan of a write-back, that the console showed; else "". `times` is how
    often a direct statement was begun, `rows` how many came of those that ended; None where they are in an event of
    their own (read.end).
    """

    seq: int
    at: datetime
    reader: str
    how: Literal["sql", "console", "direct", "gap"]
    about: str
    columns_known: bool
    personal_columns: list[str]
    times: int | None
    rows: int | None
    statement: str


def recorded_reads(connection: psycopg.Connection, *, before: int | None = None, limit: int = 100) -> Page[Read]:
    """The reads, the newest first. Raises Fatal when the limit is out of range."""
    with connection.cursor(row_factory=class_row(Read)) as cursor:
        rows = cursor.execute(_PAGE, {"before": before, "rows": bounded(limit) + 1}).fetchall()
    return page_of(rows, limit, lambda row: row.seq)


def direct_reads_missing(connection: psycopg.Connection) -> str | None:
    """Why direct reads are not, or not all, recorded, with what to do; None when they are."""
    found = connection.execute("select audit.direct_reads_missing()").fetchone()
    return str(found[0]) if found and found[0] is not None else None
