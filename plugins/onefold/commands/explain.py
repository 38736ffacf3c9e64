"""onefold explain: why a load failed, and what to do; with a model's opinion where one is set."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from onefold.commands.models import WITHOUT_MODEL
from onefold.commands.safe_output import json_visible, visible

if TYPE_CHECKING:
    from onefold.insight.failure import FailedExpectation, FailedLoad
    from onefold.llm.prompt import Prompt

MOST_OPINIONS = 3
"""Failures of one run about which a model is asked; the others are usually the same."""
MARK = "A language model ({model}) adds, unchecked:"


@click.command(epilog="Example: onefold explain 4711")
@click.argument("asked", metavar="RUN|LOAD")
@WITHOUT_MODEL
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def explain(asked: str, without_model: bool, as_json: bool) -> None:
    """Explain why a load failed: what it means, where, what to do, and the page that tells more.

    LOAD is the number of a load, RUN an Airflow run, or its DAG, a slash and the run. Where ONEFOLD_LLM names language
    models, one adds a paragraph, which is marked. It is told the kind of the error, statuses and error codes, never its
    text.
    """
    from onefold.catalog.reader import read_systems
    from onefold.insight.failure import earlier_states, failed_expectations, failed_loads
    from onefold.insight.failure_opinion import failure_prompt
    from onefold.llm.configuration import is_on
    from onefold.platform.warehouse import connect_as

    with ExitStack() as stack:
        connection = stack.enter_context(connect_as("engineer", autocommit=True))
        failures = failed_loads(connection, asked)
        expectations = {each.load_id: failed_expectations(connection, each.load_id) for each in failures}
        ask = _paragraphs(stack) if failures and is_on() and not without_model else None
        systems = read_systems() if ask else {}
        shown: list[dict[str, object]] = []
        for place, each in enumerate(failures):
            opinion: dict[str, str] = {}
            if ask and place < MOST_OPINIONS:
                earlier = earlier_states(connection, each)
                opinion = ask(failure_prompt(each, systems.get(each.system), expectations[each.load_id], earlier))
            shown.append(_as_json(each, expectations[each.load_id], opinion))
            if not as_json:
                click.echo(visible("\n".join(_lines(each, expectations[each.load_id], opinion))) + "\n")
    if as_json:
        click.echo(json_visible(json.dumps(shown, indent=2, default=str, ensure_ascii=False)))
    elif not failures:
        click.echo("Nothing failed there.")


def _paragraphs(stack: ExitStack) -> Callable[[Prompt], dict[str, str]]:
    """Gives a model's paragraph and its name, or why there is none: a model's trouble takes nothing from the rest."""
    from onefold.commands.models import router
    from onefold.errors import OnefoldError
    from onefold.llm.paragraph import read_paragraph

    try:
        models = stack.enter_context(router())
    except OnefoldError as error:
        why = str(error)
        return lambda _: {"no_opinion": why}

    def ask(prompt: Prompt) -> dict[str, str]:
        try:
            answer = models.ask(prompt, read_paragraph)
        except OnefoldError as error:
            return {"no_opinion": str(error)}
        return {"opinion": answer.value, "model": answer.model}

    return ask


def _lines(failed: FailedLoad, expectations: list[FailedExpectation], opinion: dict[str, str]) -> list[str]:
    lines = [
        f"{failed.name}: load {failed.load_id} {failed.state}, {failed.kind.name.replace('_', ' ')}",
        f"  what:  {failed.kind.what}",
        f"  where: {failed.dag_id}, run {failed.run_id}, in step {failed.step}; {failed.rows_read} rows were read",
        f"  do:    {failed.remedy}",
        f"  more:  docs/{failed.kind.page}",
        f"  error: {failed.error}",
    ]
    lines += [f"  failed: {each.expectation}, {_rows(each)}" for each in expectations]
    if "opinion" in opinion:
        lines += ["", "  " + MARK.format(model=opinion["model"]), "  " + opinion["opinion"]]
    elif opinion:
        lines += ["", "  No language model's opinion: " + opinion["no_opinion"]]
    return lines


def _rows(failed: FailedExpectation) -> str:
    return "of the table as a whole" if failed.rows is None else f"{failed.rows} rows"


def _as_json(failed: FailedLoad, expectations: list[FailedExpectation], opinion: dict[str, str]) -> dict[str, object]:
    return {
        "load_id": failed.load_id,
        "stream": failed.name,
        "dag_id": failed.dag_id,
        "run_id": failed.run_id,
        "state": failed.state,
        "step": failed.step,
        "kind": failed.kind.name,
        "what": failed.kind.what,
        "remedy": failed.remedy,
        "page": f"docs/{failed.kind.page}",
        "error": failed.error,
        "failed_expectations": [{"expectation": each.expectation, "rows": each.rows} for each in expectations],
        **opinion,
    }
