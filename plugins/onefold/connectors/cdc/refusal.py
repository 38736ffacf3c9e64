"""What is said when a log cannot be read on: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from onefold.connectors.stored_position import anew
from onefold.errors import Fatal


def not_ready(named: str, missing: Sequence[str]) -> Fatal:
    """The source lacks something: each thing is named with the SQL that mends it."""
    things = " ".join(f"{each.removesuffix(';')};" for each in missing)
    return Fatal(
        f"{named}: the source is not ready for change data capture: {things} Have its administrator run that, then run "
        "again. Nothing was changed there."
    )


def lost_changes(named: str, position: object, what: str) -> Fatal:
    """What follows the position is not to be had any more: nothing after it could be trusted."""
    return Fatal(
        f"{named}: the changes after {position} cannot be had: {what}. Nothing was loaded, and what is published "
        "stays. Load the stream anew, which reads it whole, compares, and deletes what is missing: "
        f"{anew(named)} (docs/events.md)."
    )


def altered_table(named: str, what: str) -> Fatal:
    """Rows which did not change may have other values now."""
    return Fatal(
        f"{named}: the table was altered: {what}, and the log does not tell what that did to rows which were not "
        "changed otherwise. Nothing was loaded; what is published stays. Load the stream anew, which reads it whole "
        f"and compares: {anew(named)}"
    )
