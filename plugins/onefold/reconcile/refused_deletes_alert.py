"""The alert when a listing lacked so much that its deletions were refused, and nothing was published since."""

from __future__ import annotations

import psycopg

from onefold.notify import alert


def check_refused_deletes(connection: psycopg.Connection, actor: str, system: str, name: str) -> bool:
    """Open or resolve the stream's alert of kind deletes; returns whether none is open afterwards."""
    subject = f"{system}.{name}"
    refused = connection.execute(
        "select load_id, missing, known from ops.deletes_refused refused where system = %(system)s"
        " and stream = %(stream)s and not exists (select from ops.load later where later.system = %(system)s"
        " and later.stream = %(stream)s and later.load_id > refused.load_id and later.state = 'published')"
        " order by load_id desc limit 1",
        {"system": system, "stream": name},
    ).fetchone()
    if refused is None:
        alert.resolve_alert(connection, actor, "deletes", subject)
        return True
    load_id, missing, known = refused
    alert.open_alert(
        *(connection, actor, "deletes", subject),
        f"Load {load_id} is refused: its listing lacks {missing:,} of {known:,} records. Nothing was deleted, and "
        "nothing is published until the source lists them again or somebody accepts it: ops.load.error of this load "
        "names the command.",
    )
    return False
