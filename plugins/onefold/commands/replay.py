"""onefold replay: send quarantined rows through the gate again, by the scheduler, or show which would be."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from onefold.errors import Fatal
from onefold.settings import settings


@click.command(
    epilog="Example: onefold replay --system salesforce --expectation NIP__c --reason 'the transform nip takes spaces'"
)
@click.option("--system", help="Rows of this system; default: of all.")
@click.option("--stream", help="Rows of this stream of the system; default: of all its streams.")
@click.option("--expectation", help="Text in the expectation that failed, the reason, or the withheld attribute.")
@click.option("--from", "start", help="Quarantined at this instant or later, ISO 8601.")
@click.option("--to", "end", help="Quarantined before this instant, ISO 8601.")
@click.option("--mapping-version", type=click.IntRange(1), help="Gated with this version of an entity's mapping.")
@click.option("--rows", help="Only these rows: numbers of ops.quarantine, as 12,15.")
@click.option("--reason", help="What was fixed; recorded in ops.replay. Needed unless --dry-run.")
@click.option("--dry-run", is_flag=True, help="Only show which rows would be replayed.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def replay(
    system: str | None,
    stream: str | None,
    expectation: str | None,
    start: str | None,
    end: str | None,
    mapping_version: int | None,
    rows: str | None,
    reason: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send quarantined rows through the gate again, after a suite, a mapping or a stream's YAML was fixed.

    Every selected row ends as published, superseded by something newer, or refused: again in quarantine. When all are
    refused, nothing was mended, and the command ends with code 1.
    """
    from onefold.catalog.reader import read_systems
    from onefold.orchestration.forms import instant, numbers
    from onefold.platform.warehouse import connect_as
    from onefold.replay.ledger import find_replay, why_nothing_selected
    from onefold.replay.report import plan_lines, replay_lines
    from onefold.replay.selection import Selection, check_selection, matching_rows

    systems = read_systems()
    selection = Selection(system, stream, expectation, instant(start), instant(end), mapping_version, numbers(rows))
    check_selection(selection, systems)
    if not (dry_run or (reason or "").strip()):
        raise Fatal("A replay needs a reason: say with --reason what was fixed. Nothing was changed.")
    with connect_as("engineer") as connection:
        matching = matching_rows(connection, selection, systems)
    if dry_run:
        plan = [asdict(each) for each in matching]
        click.echo(json.dumps(plan, indent=2) if as_json else "\n".join(plan_lines(matching)))
        return
    if all(each.why_not for each in matching):
        raise Fatal(why_nothing_selected(matching))

    from onefold.commands.runs import airflow, follow

    api = airflow(settings())
    request: dict[str, object] = {"reason": reason, "system": system, "stream": stream, "expectation": expectation}
    request |= {"quarantined_from": start, "quarantined_to": end, "mapping_version": mapping_version, "rows": rows}
    run = api.start_dag("replay", request)
    failed = None
    try:
        follow(api, run)
    except Fatal as error:
        failed = error
    with connect_as("engineer") as connection:
        done = find_replay(connection, run.dag_id, run.run_id)
    if failed and not (done and done.nothing_mended):
        raise failed
    if done is None:
        raise Fatal(f"ops.replay has no row of run {run.run_id}: the log of its task `choose` says why.")
    click.echo(json.dumps(done.as_json(), indent=2) if as_json else "\n".join(replay_lines(done)))
    if done.nothing_mended:
        raise SystemExit(1)
