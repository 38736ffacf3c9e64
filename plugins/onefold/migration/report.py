"""What the person who approves a migration reads, and what is kept of its dry run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import psycopg

from onefold.catalog.system import System
from onefold.conform.dry_run import DryRunReport
from onefold.connectors.counting import why_not
from onefold.errors import Fatal
from onefold.migration import ledger
from onefold.migration.chunks import is_dry_run_done, quarantined, withheld
from onefold.migration.control_totals import Totals, added
from onefold.migration.ledger import Migration, MigrationReport, StreamReport
from onefold.migration.source_counts import of_stream
from onefold.text_table import markdown_table, number


def dry_run_loads(connection: psycopg.Connection, migration: Migration) -> list[int]:
    """The loads that have read the migration's chunks, but for those that are published. Raises Fatal while one is
    not read, or what was read is gone."""
    chunks = [chunk for stream in migration.streams for chunk in ledger.chunks(connection, migration, stream)]
    if left := [f"{chunk.stream} {chunk.position}" for chunk in chunks if not is_dry_run_done(connection, chunk)]:
        raise Fatal(
            f"Migration {migration.migration_id} has chunks that had no dry run ({', '.join(left[:5])}), so there "
            "is nothing to approve. Clear the task dry_run. Nothing was published."
        )
    return [chunk.dry_run_load for chunk in chunks if chunk.load_id is None and chunk.dry_run_load is not None]


def make_report(
    connection: psycopg.Connection, migration: Migration, dry_run: DryRunReport, system: System
) -> MigrationReport:
    """The report of the dry run, to be stored in ops.migration."""
    streams: dict[str, StreamReport] = {}
    for stream in migration.streams:
        totals: Totals = {}
        read = 0
        chunks = ledger.chunks(connection, migration, stream)
        for chunk in chunks:
            if chunk.totals:
                totals = added(totals, chunk.totals["became"])
                read += chunk.totals["read"]
        counted: dict[str, int | str | None] = {
            **of_stream(chunks),
            "of": len(chunks),
            "why_not": why_not(system, stream),
        }
        streams[stream] = {
            "read": read,
            "became": totals,
            "quarantined": quarantined(chunks),
            "withheld": withheld(chunks),
            "counted": counted,
        }
    return {
        "streams": streams,
        "publish_id": dry_run.publish_id,
        "entities": [asdict(each) for each in dry_run.entities],
    }


def report_text(migration: Migration) -> str:
    """The dry run's report in Markdown."""
    report = migration.report
    if report is None:
        raise Fatal(f"Migration {migration.migration_id} has no report yet. Clear the task report.")
    parts = ["What the source counts, and what was read of it:"]
    counts = [
        [f"{migration.system}.{stream}", *_counts(found["counted"])] for stream, found in report["streams"].items()
    ]
    parts.append(markdown_table(["stream", "the source counted", "and after it was read", "read", "compared"], counts))
    parts.append("What was read, and what would become of it:")
    rows = [
        [f"{migration.system}.{stream}", fate, name, amount]
        for stream, found in report["streams"].items()
        for fate, totals in found["became"].items()
        for name, amount in totals.items()
    ]
    parts.append(markdown_table(["stream", "became", "total of", "sum"], rows))
    reasons = [
        [f"{migration.system}.{stream}", reason, number(count)]
        for stream, found in report["streams"].items()
        for reason, count in found["quarantined"].items()
    ]
    if reasons:
        parts += ["What would wait in quarantine:", markdown_table(["stream", "reason", "records"], reasons)]
    values = [
        [f"{migration.system}.{stream}", attribute, number(count), _share(count, found["became"])]
        for stream, found in report["streams"].items()
        for attribute, count in found.get("withheld", {}).items()
    ]
    if values:
        head = ["stream", "attribute", "records", "of the accepted"]
        parts += ["Which values would be withheld, from records that are published:", markdown_table(head, values)]
    counted = ("new", "changed", "merged", "split", "ended", "conflicts", "held_back", "warnings")
    entities = [[str(each["entity"]), *(number(each.get(of, 0)) for of in counted)] for each in report["entities"]]
    head = ["entity", *(of.replace("_", " ") for of in counted)]
    parts += ["What would become of the golden records:", markdown_table(head, entities)]
    parts += [f"**The gate would refuse it**: {each['refused']}" for each in report["entities"] if each["refused"]]
    return "\n\n".join(parts)


def _counts(counted: Mapping[str, int | str | None]) -> list[str]:
    if counted["why_not"]:
        return ["", "", "", f"this source does not count: {counted['why_not']}"]
    numbers = (number(counted[of]) for of in ("before", "after", "read"))
    return [*numbers, f"{counted['chunks']:,} of {counted['of']:,} chunks"]


def _share(values: int, became: Mapping[str, Mapping[str, str]]) -> str:
    """Of the records that would become versions, the share that lacks the attribute."""
    return f"{values / max(int(became.get('accepted', {}).get('records', '0')), values, 1):.2%}"
