"""onefold erase: what an erasure would do, and its start through the scheduler.

No value is an argument of the command: arguments stand in the process list and in the shell's history.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from onefold.privacy.records import GoldenId
from onefold.privacy.values import PersonalValue
from onefold.settings import settings


@click.command(
    epilog='Example: onefold erase --email --basis "Art. 17, request 12/2026" --dry-run (it then asks for the address)'
)
@click.option("--email", "by_email", is_flag=True, help="By an e-mail address, which is asked for.")
@click.option("--pesel", "by_pesel", is_flag=True, help="By a PESEL, which is asked for.")
@click.option("--golden-record", metavar="ENTITY/ID", help="By a golden record, as employee/0b6f….")
@click.option(
    "--file",
    "given",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of mode 0600 with a line each: 'email <address>' or 'pesel <number>'.",
)
@click.option("--basis", default="", help="On which ground; others read it in ops.erasure. Name no person.")
@click.option("--again", is_flag=True, help="After an old backup was restored: erase again what it has brought back.")
@click.option("--dry-run", is_flag=True, help="Only show what would happen.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def erase(
    by_email: bool,
    by_pesel: bool,
    golden_record: str | None,
    given: Path | None,
    basis: str,
    again: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Erase one person everywhere: what is personal goes, in place; ids stay, and what a law demands.

    Addresses and numbers are asked for, or read from standard input, a line each in the order of the options. It starts
    the DAG erase, which waits for the approval of another person than you. It cannot be undone.
    """
    from onefold.catalog.reader import read_catalog
    from onefold.commands.runs import airflow
    from onefold.erasure.case_file import Case, close_case, open_case
    from onefold.erasure.lifecycle import erase_again, preview_erasure
    from onefold.erasure.request import ErasureRequest
    from onefold.platform.warehouse import url_as

    if again:
        plan = erase_again(url_as("loader"), read_catalog())
        click.echo(json.dumps(plan.as_json(), indent=2) if as_json else plan.text)
        return
    request = ErasureRequest("", basis or ("dry run" if dry_run else ""))
    values = frozenset(_values(by_email=by_email, by_pesel=by_pesel, given=given))
    golden = _golden(golden_record) if golden_record else None
    if dry_run:
        case = Case("", values, golden)
        case.require_somebody()
        planned = preview_erasure(url_as("loader"), read_catalog(), case)
        click.echo(json.dumps(planned.as_json(), indent=2) if as_json else planned.text)
        return
    case = open_case(values, golden)
    try:
        planned = preview_erasure(url_as("loader"), read_catalog(), case)
        here = settings()
        api = airflow(here)
        started = api.start_dag("erase", {"case": case.name, "basis": request.basis})
    except BaseException:
        close_case(case.name)
        raise
    where = f"{here.ui_url}/dags/erase/runs/{started.run_id}/tasks/approve/required_actions"
    if as_json:
        click.echo(json.dumps({**planned.as_json(), "run_id": started.run_id, "approve_at": where}, indent=2))
        return
    click.echo(planned.text)
    click.echo(f"Nothing is erased yet. Another person than you approves it at {where}")


def _values(*, by_email: bool, by_pesel: bool, given: Path | None) -> Iterator[PersonalValue]:
    from onefold.errors import Fatal
    from onefold.privacy.secret_file import read_secret
    from onefold.privacy.values import email, pesel

    kinds = {"email": email, "pesel": pesel}
    asked = [kind for kind, wanted in (("email", by_email), ("pesel", by_pesel)) if wanted]
    for kind in asked:
        yield kinds[kind](_ask(kind))
    for number, line in enumerate(read_secret(given).decode().splitlines() if given else [], start=1):
        kind, _, text = line.strip().partition(" ")
        if kind and kind not in kinds:
            raise Fatal(f"Line {number} of {given} begins with neither email nor pesel. Nothing was erased.")
        if kind:
            yield kinds[kind](text)


def _ask(kind: str) -> str:
    if sys.stdin.isatty():
        answer: str = click.prompt({"email": "E-mail address", "pesel": "PESEL"}[kind], hide_input=True)
        return answer
    return sys.stdin.readline()


def _golden(text: str) -> GoldenId:
    from onefold.errors import Fatal

    entity, _, golden_id = text.partition("/")
    if not entity or not golden_id:
        raise Fatal("A golden record is named by its entity and id, as employee/0b6f6a1e-….")
    return entity, golden_id
