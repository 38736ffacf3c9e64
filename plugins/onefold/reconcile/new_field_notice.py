"""The notice of a field that a source has added: one each, closed by itself once the field is declared or ignored."""

from __future__ import annotations

import psycopg

from onefold.catalog.stream import Stream
from onefold.load.new_fields import undeclared_fields
from onefold.notify import alert


def notice_new_fields(connection: psycopg.Connection, actor: str, system: str, name: str, stream: Stream) -> None:
    """Open a notice (kind new_field) for each new field of the stream that its YAML does not name; close the others."""
    named = f"{system}.{name}"
    new = undeclared_fields(connection, system, name, stream)
    open_now = {f"{named}.{each.field}": f"{each}; or: bin/onefold accept {named}" for each in new}
    for subject, message in open_now.items():
        alert.open_alert(connection, actor, "new_field", subject, message)
    before = connection.execute(
        "select subject from ops.alert where kind = 'new_field' and resolved_at is null and starts_with(subject, %s)",
        (f"{named}.",),
    ).fetchall()
    for (subject,) in before:
        if subject not in open_now:
            alert.resolve_alert(connection, actor, "new_field", subject)
