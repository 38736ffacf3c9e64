"""The plan of a migration as the person reads it who approves it, in Markdown."""

from __future__ import annotations

from onefold.audit.approval import triggering_user
from onefold.migration.ledger import Migration
from onefold.text_table import markdown_table, number


def plan_text(migration: Migration) -> str:
    """The plan in Markdown."""
    estimates = migration.plan["estimates"]
    rows = [
        [
            f"{migration.system}.{stream}",
            *map(number, (estimates[stream]["records"], estimates[stream]["requests"], estimates[stream]["seconds"])),
            estimates[stream].get("by", "loads so far"),
        ]
        for stream in migration.streams
    ]
    quota, days = migration.plan["quota"], migration.plan["days_of_quota"]
    share = f" {days:.0%} of the day's quota ({quota})." if days is not None else ""
    hours = f" It works in {migration.service_window} only." if migration.service_window else ""
    return "\n\n".join(
        [
            (
                f"**Migration {migration.migration_id}** of {migration.system}: "
                f"[{migration.window_start:%Y-%m-%d %H:%M} UTC, {migration.window_end:%Y-%m-%d %H:%M} UTC), "
                f"{migration.plan['chunks']} chunks a stream.{hours}{share}"
            ),
            f"Why: {migration.reason} (asked for by {triggering_user(migration.actor) or migration.actor})",
            markdown_table(["stream", "records, about", "requests", "seconds", "by"], rows),
        ]
    )
