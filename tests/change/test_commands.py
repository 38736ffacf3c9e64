"""bin/onefold plan, plan list, plan show and apply, as somebody types them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from onefold.commands.apply import apply
from onefold.commands.plan import plan
from tests.change.files import SOURCES
from tests.change.world import Firms


def _types(command: object, *words: str) -> str:
    done = CliRunner().invoke(command, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def edited(firms: Firms, monkeypatch: pytest.MonkeyPatch) -> Firms:
    """With an edit of a transform, and the project's folder as the checkout in which the commands run."""
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", firms.loader)
    monkeypatch.setattr("onefold.settings.ROOT", firms.files.root)
    firms.files.entity["attributes"]["legal_name"]["sources"][SOURCES["crm"]]["transform"] = "text"
    firms.files.write()
    return firms


def test_plans_are_listed_and_shown_as_a_page_and_as_json(edited: Firms) -> None:
    assert _types(plan, "list").startswith("There is no plan yet")
    made = edited.plan()
    assert f"{made.plan_id}     planned  os:tester" in _types(plan, "list")
    page = _types(plan, "show", str(made.plan_id))
    assert "legal_name Alfa Sp. z o.o. → ALFA SP. Z O.O." in page
    assert "| firm:crm.account | 4 |" in page
    shown = json.loads(_types(plan, "show", str(made.plan_id), "--json"))
    assert (shown["golden"], shown["content"]["mapped"]) == (1, {"firm:crm.account": 4})
    assert shown["samples"]["firm"]["changed"][0]["attributes"] == {
        "legal_name": ["Alfa Sp. z o.o.", "ALFA SP. Z O.O."]
    }


@pytest.mark.torture
def test_an_edit_is_planned_and_applied_by_dbt_and_great_expectations(edited: Firms) -> None:
    said = _types(plan)
    assert "1 golden records would change." in said and said.rstrip().endswith("bin/onefold apply 1")
    assert "1 golden records, as planned." in _types(apply, "1")
    assert "ALFA SP. Z O.O." in {row["legal_name"] for row in edited.golden().values()}
    assert edited.query("select firms from marts.firms_by_city where city = 'Opole'") == [(1,)]
    assert "0 golden records would change." in _types(plan)
