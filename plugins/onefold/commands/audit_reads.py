"""onefold audit reads: who read personal columns, through `onefold sql`, in the console and past both."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
import psycopg

from onefold.insight.page import MAX_ROWS


@click.command("reads", epilog="Example: onefold audit reads --limit 20")
@click.option("--limit", type=click.IntRange(1, MAX_ROWS), default=100, show_default=True, help="Lines of a page.")
@click.option("--before", type=click.IntRange(1), help="The page after the one that ended with this number.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def reads_command(limit: int, before: int | None, as_json: bool) -> None:
    """Record what was read directly (psql, a BI tool) since the last time, and show who read personal columns.

    The newest first, with the statements without their values. Direct reads are counted by PostgreSQL: the time is
    when they were recorded, `times` how often the statement was begun since the time before.
    """
    from onefold.audit import actor
    from onefold.catalog.reader import read_catalog
    from onefold.commands.safe_output import visible
    from onefold.errors import Fatal
    from onefold.insight.reads import direct_reads_missing, recorded_reads
    from onefold.platform.warehouse import connect_as, url_as
    from onefold.privacy.direct_reads import collect_direct_reads
    from onefold.text_table import table
    from onefold.warehouse.post_commit import after_commit

    try:
        if before is None:
            collect_direct_reads(url_as("loader"), read_catalog(), actor())
            after_commit(url_as("loader"))
        with connect_as("auditor") as connection:
            missing = direct_reads_missing(connection)
            page = recorded_reads(connection, before=before, limit=limit)
    except psycopg.Error as error:
        raise Fatal(f"The warehouse cannot record or show reads (SQLSTATE {error.sqlstate}).") from None
    if as_json:
        shown = {"direct_reads_missing": missing, "reads": [asdict(each) for each in page.rows], "before": page.before}
        click.echo(json.dumps(shown, indent=2, default=str))
        return
    if missing:
        click.echo(f"Direct reads are not, or not all, recorded: {missing}.", err=True)
    heads = ("event", "at (UTC)", "reader", "how", "personal columns", "what", "times", "rows")
    lines = [
        (
            str(each.seq),
            f"{each.at:%Y-%m-%d %H:%M}",
            visible(each.reader),
            each.how,
            _shortened(", ".join(each.personal_columns) or ("" if each.how == "gap" else "not known")),
            _shortened(visible(each.about or each.statement)),
            "" if each.times is None else f"{each.times:,}",
            "" if each.rows is None else f"{each.rows:,}",
        )
        for each in page.rows
    ]
    click.echo(table(heads, lines, 6) if lines else "Nobody has read a personal column.")
    if page.before:
        click.echo(f"There are more: --before {page.before}", err=True)


def _shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
