"""onefold write-back: what is to be written into another system, planned, approved, executed, and what waits."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from onefold.load.ledger import Run
    from onefold.write_back.run import WriteBack
    from onefold.write_back.status import TargetStatus


@click.command(
    "write-back",
    epilog="Examples: onefold write-back erp · onefold write-back erp --plan · onefold write-back erp --approve 7 · "
    "onefold write-back erp --run",
)
@click.argument("target")
@click.option("--status", "what", flag_value="status", default=True, help="Show what is open and what waits.")
@click.option("--plan", "what", flag_value="plan", help="Dry run: show row by row what would be written.")
@click.option("--run", "what", flag_value="run", help="Execute the plan that is approved; or plan, and execute it.")
@click.option("--all", "what", flag_value="all", help="Intend every golden record: the target or its file is new.")
@click.option("--replay", "what", flag_value="replay", help="Intend refused records again.")
@click.option("--approve", type=click.IntRange(min=1), help="Approve a plan that another person has made.")
@click.option("--reject", type=click.IntRange(min=1), help="Turn a plan down.")
@click.option("--intent", "intents", type=int, multiple=True, help="With --replay: only these intents.")
@click.option("--yes", is_flag=True, help="With --approve or --reject: without asking.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def write_back(
    target: str, what: str, approve: int | None, reject: int | None, intents: tuple[int, ...], yes: bool, as_json: bool
) -> None:
    """Write what has changed of golden records into TARGET (catalog/targets), as the DAG write_back__TARGET does."""
    if approve or reject:
        _decide(target, approve or reject or 0, approved=bool(approve), yes=yes)
    elif what == "status":
        _show_status(target, as_json)
    else:
        _act(target, what, intents)


def _act(target: str, what: str, intents: tuple[int, ...]) -> None:
    from onefold.commands.audit_restored import person_who_says
    from onefold.commands.endpoints import endpoint_of
    from onefold.load.ledger import Run
    from onefold.platform.warehouse import url_as
    from onefold.settings import settings
    from onefold.warehouse.post_commit import after_commit
    from onefold.write_back.configured import write_back_to

    url = url_as("loader")
    run = Run(f"write_back__{target}", f"command__{datetime.now(UTC):%FT%T.%f}", person_who_says(settings()))
    with write_back_to(target, url, endpoint_of) as back:
        if what == "all":
            click.echo(f"{back.intend_all():,} golden records are intended. What would be written: --plan")
        elif what == "replay":
            click.echo(f"{back.replay(run, intents):,} refused records are intended again. Now: --plan or --run")
        else:
            _plan_or_run(back, run, what)
    after_commit(url)


def _plan_or_run(back: WriteBack, run: Run, what: str) -> None:
    plans = back.plan(run)
    for plan in plans:
        click.echo(back.page(plan))
    done = back.execute_ready(run) if what == "run" else []
    for each in done:
        outcomes = ", ".join(f"{n:,} {name}" for name, n in each.outcomes.items())
        click.echo(f"Plan {each.plan_id}: {outcomes or '0 rows'}")
    waiting = back.waiting()
    for plan in waiting:
        click.echo(
            f"\nPlan {plan.plan_id} waits. Another person than who made it approves it: "
            f"bin/onefold write-back {back.target.target} --approve {plan.plan_id}"
        )
    if not plans and not done and not waiting:
        click.echo(f"Nothing is intended for {back.target.target}.")


def _decide(target: str, plan_id: int, *, approved: bool, yes: bool) -> None:
    from onefold.audit.approval import decide, require_question
    from onefold.commands.audit_restored import person_who_says
    from onefold.errors import Fatal
    from onefold.platform.airflow import WAREHOUSE_DATABASE
    from onefold.platform.postgres import Postgres
    from onefold.platform.warehouse import url_as
    from onefold.settings import settings
    from onefold.warehouse.connection import connect
    from onefold.warehouse.post_commit import after_commit
    from onefold.write_back import plan_ledger
    from onefold.write_back.waiting import turn_down

    here, url = settings(), url_as("loader")
    who = person_who_says(here)
    with connect(url, autocommit=True) as connection:
        plan = plan_ledger.get_plan(connection, plan_id)
        if plan.target != target:
            raise Fatal(f"Write-back plan {plan_id} is to {plan.target}, not to {target}. Nothing was changed.")
        asked = require_question(connection, plan.dag_id, plan.run_id)
        click.echo(asked.plan)
        if not yes:
            click.confirm(f"{'Approve it' if approved else 'Turn it down'} as {who}?", abort=True)
        approvals = Postgres(here.home, here.pg_port).url(WAREHOUSE_DATABASE, "onefold_approvals")
        with connect(approvals, autocommit=True) as deciding:
            started_by = None if "/" in (asked.requested_by or "") else asked.requested_by
            number, text = asked.approval_id, asked.plan
            decide(deciding, number, approved=approved, by=who, started_by=started_by, shown=text)
        if not approved:
            with connection.transaction():
                turn_down(connection, plan)
    after_commit(url)
    done = f"Approved by {who}. Now: bin/onefold write-back {target} --run"
    click.echo(done if approved else f"Plan {plan_id} is turned down: its records wait. Again: --replay")


def _show_status(target: str, as_json: bool) -> None:
    from onefold.platform.warehouse import connect_as
    from onefold.write_back.status import target_status

    with connect_as("engineer") as connection:
        found = target_status(connection, target)
    click.echo(json.dumps(asdict(found), indent=2, default=str) if as_json else _status_text(found))


def _status_text(found: TargetStatus) -> str:
    from onefold.text_table import table

    counts = ", ".join(f"{count:,} {state}" for state, count in found.intents.items())
    lines = [f"{found.target}: {counts or 'nothing was ever intended; --all intends every golden record'}"]
    if found.refused:
        rows = [[str(each.intent_id), each.object, str(each.golden_id), each.reason] for each in found.refused]
        lines += ["", table(["intent", "object", "golden record", "refused because"], rows, left=4)]
        lines.append(f"Fixed? bin/onefold write-back {found.target} --replay")
    if found.left:
        lines.append(f"{found.left:,} records are left there whose golden record no longer meets `where`")
    if found.plans:
        rows = [
            [
                str(each.plan_id),
                f"{each.state}: {each.reason}" if each.reason else each.state,
                f"{each.created_at:%Y-%m-%d %H:%M}",
                f"{each.writes:,}",
                each.actor,
            ]
            for each in found.plans
        ]
        lines += ["", table(["plan", "state", "at (UTC)", "records", "by"], rows, left=3)]
    return "\n".join(lines)
