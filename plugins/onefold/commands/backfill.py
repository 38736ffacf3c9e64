"""onefold backfill: a backfill by Airflow of one sync DAG: says first what it will do, then how far it is."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from onefold.errors import Fatal, Retriable
from onefold.settings import settings

if TYPE_CHECKING:
    from onefold.platform.backfills import Backfill, BackfillApi, Progress

MANY = 100
"""More runs than this need --yes."""
POLL_SECONDS = 1.0
CLOSING_SECONDS = 90
"""Airflow looks every 30 s whether a backfill has ended."""


@click.command(epilog="Example: onefold backfill nbp --from 2026-09-01 --to 2026-10-01")
@click.argument("system")
@click.option("--from", "start", required=True, help="First instant of the window, ISO 8601.")
@click.option("--to", "end", required=True, help="End of the window, itself outside.")
@click.option("--yes", is_flag=True, help=f"Also when it takes more than {MANY} runs.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def backfill(system: str, start: str, end: str, yes: bool, as_json: bool) -> None:
    """Load the past of one SYSTEM again: each interval of its schedule in a run of its own, one after the other.

    Scheduled runs of fresh data go first. Repeating it is safe. Exits 1 when a run has failed.
    """
    from onefold.catalog.reader import read_systems
    from onefold.commands.past import ask_streams, asked_window, known_system
    from onefold.platform.backfills import BackfillApi
    from onefold.platform.sign_in import airflow_session

    found = known_system(read_systems(), system)
    begin, until = asked_window(start, end)
    left_out = ask_streams(found, begin)
    here = settings()
    api = airflow_session(BackfillApi, here)
    dag_id = f"sync__{system}"
    api.wait_for_dag(dag_id)
    _refuse_a_second(api, dag_id)
    if begin is None:
        raise click.UsageError("A backfill needs --from: where the past that it loads begins.")
    first, last = _intervals(found.schedule, begin, until)
    starts = api.intervals(dag_id, first, last)
    if not starts:
        raise Fatal(
            f"No interval of {dag_id} (schedule {found.schedule}) that begins in [{first:%FT%TZ}, {until:%FT%TZ}) is "
            "complete and idle. Choose a later end, or wait for the runs that are in progress. Nothing was started."
        )
    covered = (starts[0], _next(found.schedule, starts[-1]))
    summary = f"{len(starts)} runs of {dag_id}, one for each interval in [{covered[0]:%FT%TZ}, {covered[1]:%FT%TZ})"
    if len(starts) > MANY and not yes:
        raise Fatal(f"That is {summary}. Add --yes to confirm, or choose a shorter window. Nothing was started.")
    click.echo(summary, err=True)
    api.unpause(dag_id)
    backfill_started = _start(api, dag_id, starts[0], starts[-1])
    done = _follow(api, backfill_started, len(starts))
    failed = api.failed_runs(backfill_started) if done.failed else []
    report = {
        "dag_id": dag_id,
        "backfill_id": backfill_started.backfill_id,
        "from": f"{covered[0]:%FT%TZ}",
        "to": f"{covered[1]:%FT%TZ}",
        "runs": len(starts),
        "succeeded": done.succeeded,
        "failed": [{"run_id": run.run_id, "from": f"{run.start:%FT%TZ}", "to": f"{run.end:%FT%TZ}"} for run in failed],
        "left_out": left_out,
    }
    click.echo(json.dumps(report, indent=2) if as_json else _summary(report))
    if done.failed:
        names = ", ".join(run.run_id for run in failed[:10])
        raise Fatal(
            f"{done.failed} of {len(starts)} runs failed: {names}{', …' if done.failed > 10 else ''}. The log of their "
            "tasks, in the UI, say why. Fix it, then repeat the command: what is already loaded is not changed."
        )


def _intervals(schedule: str, start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The starts of the schedule's first and last interval that have a part in [start, end)."""
    minute = timedelta(minutes=1)
    first = _before(schedule, start.replace(second=0, microsecond=0) + minute)
    whole = end.replace(second=0, microsecond=0)
    return first, _before(schedule, whole if whole == end else whole + minute)


def _before(schedule: str, at: datetime) -> datetime:
    from croniter import croniter

    found: datetime = croniter(schedule, at).get_prev(datetime)
    return found


def _next(schedule: str, at: datetime) -> datetime:
    from croniter import croniter

    found: datetime = croniter(schedule, at).get_next(datetime)
    return found


def _refuse_a_second(api: BackfillApi, dag_id: str) -> None:
    """Raises Fatal while another backfill of the DAG runs; one whose runs are over is waited for until it is closed."""
    running = api.active_backfill(dag_id)
    if running is None:
        return
    if api.is_at_rest(running):
        click.echo(f"waiting for Airflow to close backfill {running.backfill_id}, whose runs are over", err=True)
        deadline = time.monotonic() + CLOSING_SECONDS
        while not api.backfill(running.backfill_id).completed:
            if time.monotonic() > deadline:
                raise Retriable(f"Airflow has not closed backfill {running.backfill_id} of {dag_id}. Try again later.")
            time.sleep(POLL_SECONDS)
        return
    raise Fatal(
        f"Backfill {running.backfill_id} of {dag_id} is in progress ([{running.first:%FT%TZ}, {running.last:%FT%TZ}]). "
        "Wait until it has ended, or cancel it on the DAG's page (Backfills). Nothing was started."
    )


def _start(api: BackfillApi, dag_id: str, first: datetime, last: datetime) -> Backfill:
    """Start it. Airflow creates every run before it answers; after a time-out we look whether it was created."""
    try:
        return api.create_backfill(dag_id, first, last)
    except Retriable:
        running = api.active_backfill(dag_id)
        if running is None or (running.first, running.last) != (first, last):
            raise
        return running


def _follow(api: BackfillApi, backfill_started: Backfill, runs: int) -> Progress:
    """Wait until all runs have ended; one line whenever one has. If somebody cancels it, the rest counts as failed."""
    from onefold.commands.runs import require_live_services

    shown: Progress | None = None
    while True:
        done = api.progress(backfill_started)
        if done != shown:
            click.echo(f"{done.succeeded + done.failed} of {runs} runs ended, {done.failed} failed", err=True)
            shown = done
        if done.succeeded + done.failed >= runs:
            return done
        require_live_services()
        if api.is_paused(backfill_started.dag_id):
            raise Fatal(
                f"{backfill_started.dag_id} has been paused: its runs do not begin. Switch it on in the UI (the toggle "
                f"beside its name), and backfill {backfill_started.backfill_id} goes on by itself; or cancel it there."
            )
        time.sleep(POLL_SECONDS)


def _summary(report: Mapping[str, object]) -> str:
    window = f"[{report['from']}, {report['to']})"
    return f"{report['succeeded']} of {report['runs']} runs of {report['dag_id']} have loaded {window}."
