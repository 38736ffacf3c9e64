"""What a delta query gives only in part: occurrences of a series, and messages that were only marked as read.

Source: Microsoft Graph, "Get incremental changes to events in a calendar view" and "… to messages in a folder": of what
changed, the properties that changed.
"""

from __future__ import annotations

from sandbox.microsoft365.content import PER_OWNER, Json, comes_in_part, is_series, item_id
from sandbox.world import Entry, World


def in_part(world: World, stream: str, whose: str, between: tuple[int | None, int], entry: Entry, row: Json) -> Json:
    """The row as Graph sends it in a round of changes after the first of two advances (None: all), up to the second."""
    since, until = between
    if entry.broken:
        return row
    if stream == "calendar_event" and (number := series_of(entry.number)) is not None:
        master = world.shelf("microsoft365.calendar_event").by_key.get((whose, item_id(stream, number)))
        state = master.at(until) if master else None
        if master and not master.broken and state and not state[1]:
            return _stub(row, item_id(stream, number))
    if stream == "message" and since is not None and comes_in_part(str(row["id"])):
        was, now = entry.at(since), entry.at(until)
        if was and now and not was[1] and (now[2] - was[2]) % 2:
            return _read_mark(row)
    return row


def series_of(number: int) -> int | None:
    """The number of the series that an event is an occurrence of; None where it is none."""
    master = number - number % PER_OWNER["calendar_event"]
    return master if is_series(master) and 0 < number - master <= 3 else None


def _stub(row: Json, master: str) -> Json:
    """An occurrence as a delta query of a calendar view gives it: what differs from its series."""
    return {
        "@odata.etag": row["id"],
        "id": row["id"],
        "type": "occurrence",
        "seriesMasterId": master,
        "start": row["start"],
        "end": row["end"],
    }


def _read_mark(row: Json) -> Json:
    """A message that was only marked as read or unread, as a delta query of a folder gives it."""
    return {name: row[name] for name in ("id", "isRead", "parentFolderId")}
