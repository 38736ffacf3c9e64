"""A load in which every row failed is refused: it is no success, and its window must be read again."""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.errors import Rejected
from onefold.load.ledger import Load
from onefold.warehouse.rows import one_row

SEVERAL = 5
"""Of fewer rows that failed at the gate all may be bad by chance: an hour may bring two bad ones and no other."""


def refuse_if_nothing_passed(connection: psycopg.Connection, load: Load, named: str, refused: int) -> None:
    """Raises Rejected when all rows were refused or have no usable key, and none was read that is right.

    That takes five rows, or two where none has a usable key, which is hardly ever chance. Rows that are as they were
    count as right; so do deletions that the source tells.
    """
    reasons = connection.execute(
        """
        select reason, count(*) from landing.unreadable u
        where load_id = %(load)s and not exists (
            select from ops.quarantine q where q.system = %(system)s and q.stream = %(stream)s and q.state = 'open'
              and q._key is null and q._hash = u._hash
        )
        group by 1 order by 2 desc
        """,
        {"load": load.load_id, "system": load.system, "stream": load.stream},
    ).fetchall()
    unreadable = sum(rows for _, rows in reasons)
    failed = refused + unreadable
    if failed < (2 if unreadable == failed else SEVERAL):
        return
    passes = _PASSES.format(pages=load.tables.pages, refused=load.tables.refused)
    if one_row(connection.execute(passes))[0]:
        return
    if refused:
        reasons += connection.execute(
            sql.SQL("select reason, count(*) from {} group by 1 order by 2 desc").format(load.tables.refused)
        ).fetchall()
    said = "; ".join(f"{reason}: {rows}" for reason, rows in reasons[:3])
    raise Rejected(
        f"{named}: the gate refused load {load.load_id}: every one of its {failed} rows failed ({said}). Nothing was "
        f"published and the window stays where it is. If the rows are right, fix the stream's fields in "
        f"catalog/systems/{load.system}.yaml or its suite; if they are wrong, have the source fixed; then run again."
    )


_PASSES = sql.SQL(
    """
    select exists (
        select from {pages} page
        where not exists (select from {refused} r where r._key = page._key)
          and not (_deleted and _hash = decode(md5('gone' || _payload), 'hex'))
    )
    """
)
