"""onefold replay as far as it goes without the scheduler: the plan, and what is refused."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from onefold.commands.replay import replay
from onefold.errors import Fatal
from tests.load.shop import Shop, record
from tests.roles import as_role


@pytest.fixture
def waiting(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Two rows of shop.customer that can be replayed and one that cannot; the catalogue has that stream too."""
    shop.load([record("a", 1, name=None), record("b", 1, name=None), record(None, 1), record("c", 1)])
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", as_role(shop.url, "onefold_engineer"))
    return shop


def run(*arguments: str) -> Result:
    return CliRunner().invoke(replay, arguments)


def test_a_dry_run_says_what_would_be_replayed_and_what_cannot_be(waiting: Shop) -> None:
    said = run("--dry-run", "--system", "shop")
    assert said.exit_code == 0, said.output
    assert "name: to not be null" in said.output
    assert "2 rows would be replayed." in said.output
    assert "Not replayed: 1 of shop.customer (the primary key (id) is missing): stored as text" in said.output
    assert waiting.query("select count(*) from ops.replay") == [(0,)]


def test_a_dry_run_in_json_has_a_group_for_each_reason(waiting: Shop) -> None:
    plan = json.loads(run("--dry-run", "--json").output)
    assert [(group["stream"], group["rows"], group["why_not"] is None) for group in plan] == [
        ("customer", 2, True),
        ("customer", 1, False),
    ]


def test_a_dry_run_that_finds_nothing_says_so(waiting: Shop) -> None:
    said = run("--dry-run", "--expectation", "100% sure_")
    assert (said.exit_code, said.output) == (0, "0 rows would be replayed.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--system", "shpo"], "no system 'shpo'"),
        (["--system", "shop", "--stream", "costumer"], "no stream 'costumer'"),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "not before its end"),
        (["--from", "yesterday"], "'yesterday' is not an instant"),
        ([], "needs a reason"),
        (["--reason", "why not", "--expectation", "nothing like it"], "No open row in quarantine matches"),
        (["--reason", "why not", "--expectation", "primary key"], "No row that matches can be replayed"),
    ],
)
def test_what_is_wrong_is_refused_before_the_scheduler_is_asked(waiting: Shop, arguments: list[str], said: str) -> None:
    refused = run(*arguments)
    assert isinstance(refused.exception, Fatal)
    assert said in str(refused.exception) and "othing was changed" in str(refused.exception)


def test_help_has_an_example() -> None:
    assert "Example: onefold replay" in run("--help").output
