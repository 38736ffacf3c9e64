"""onefold retention: what is kept how long, what is due, and deleting it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from onefold.catalog.privacy import DataProtection
    from onefold.platform.lifecycle import Installation
    from onefold.retention.purge import Kept

Where = Literal["warehouse", "installation"]


@click.command(epilog="Example: onefold retention --due")
@click.option("--execute", is_flag=True, help="Delete what is due.")
@click.option("--due", "only_due", is_flag=True, help="Show only that of which something is due.")
@click.option(
    "--only",
    type=click.Choice(["warehouse", "installation"]),
    help="The warehouse's tables, or Airflow's database and the log files; default: both.",
)
@click.option("--runs", is_flag=True, help="Show the last runs, and how many rows each has deleted.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def retention(execute: bool, only_due: bool, only: Where | None, runs: bool, as_json: bool) -> None:
    """Show what is kept how long, since when, and how much of it is due now; nothing changes without --execute.

    How long is said in catalog/privacy.yaml and in the systems' YAML (privacy: {retention: …}). What a rollback or its
    undo may still need is not due. Each run that deletes is in ops.retention and in the audit chain, with counts.
    """
    from onefold.catalog.data_protection import check_data_protection
    from onefold.catalog.reader import read_catalog
    from onefold.platform.lifecycle import installation
    from onefold.settings import settings

    if runs:
        _show_runs(as_json)
        return
    catalog = read_catalog()
    said = check_data_protection(catalog)
    here = installation(settings(), sandbox=False) if only != "warehouse" else None
    if execute:
        _execute(said, here, only, as_json)
        return
    kept = _kept(said, here, only)
    shown = [each for each in kept if each.due or not only_due]
    if as_json:
        click.echo(json.dumps([{**asdict(each), "period": each.period.days} for each in shown], indent=2, default=str))
        return
    from onefold.commands.retention_text import kept_table, undo_text

    click.echo(kept_table(shown) if shown else "Nothing is due.")
    click.echo(undo_text(settings().rollback_days))


def _kept(said: DataProtection, here: Installation | None, only: Where | None) -> list[Kept]:
    from onefold.catalog.reader import read_catalog
    from onefold.platform.housekeeping import installation_kept
    from onefold.platform.warehouse import connect_as
    from onefold.retention.run import plan_retention

    kept: list[Kept] = []
    if only != "installation":
        with connect_as("loader", autocommit=True) as connection:  # it counts rows that nobody else may read
            kept += plan_retention(connection, read_catalog(), said)
    if here:
        kept += installation_kept(here, said.technical)
    return kept


def _execute(said: DataProtection, here: Installation | None, only: Where | None, as_json: bool) -> None:
    from onefold.audit import AuditEvent, actor, append
    from onefold.catalog.reader import read_catalog
    from onefold.commands.retention_text import purged_table
    from onefold.platform.housekeeping import clean_installation
    from onefold.platform.warehouse import connect_as, url_as
    from onefold.retention.run import Purged, execute_retention
    from onefold.warehouse.post_commit import after_commit

    purged: list[Purged] = []
    if only != "installation":
        url = url_as("loader")
        purged += execute_retention(url, read_catalog(), said, actor()).purged
        after_commit(url)
    if here:
        cleaned = clean_installation(here, said.technical)
        counts: Counter[str] = Counter()
        for each in cleaned:
            counts[each.store] += each.rows
        with connect_as("loader", autocommit=True) as connection:
            append(connection, AuditEvent(actor(), "retention.installation", "installation", payload=dict(counts)))
        after_commit(url_as("loader"))
        purged += cleaned
    if as_json:
        click.echo(json.dumps([asdict(each) for each in purged], indent=2))
        return
    click.echo(purged_table(purged) if purged else "Nothing was due.")


def _show_runs(as_json: bool) -> None:
    from onefold.commands.retention_text import run_table
    from onefold.insight.retention import retention_runs
    from onefold.platform.warehouse import connect_as

    with connect_as("engineer") as connection:
        found = retention_runs(connection, limit=30).rows
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2, default=str))
        return
    click.echo(run_table(found) if found else "Retention has not run yet.")
