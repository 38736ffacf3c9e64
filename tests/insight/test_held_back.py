"""What is held back, as status, the demo and others show it."""

from __future__ import annotations

import json

import psycopg
import pytest
from click.testing import CliRunner

from onefold.commands.held_back import held_back as command
from onefold.commands.report_text import entity_lines, held_back_lines
from onefold.errors import Fatal
from onefold.insight.entities import entity_statuses
from onefold.insight.held_back import held_back, held_back_records, refused_entities, warned
from tests.roles import as_role


@pytest.fixture
def held(loader: psycopg.Connection) -> psycopg.Connection:
    """Three orders that are held back, two published ones with a warning, and an invoice that was left out."""
    report = (
        '{"entities": [{"entity": "order", "golden": 97, "by_sources": {"1": 97}, "held_back": 3, "warnings": 2}],'
        ' "refused": {"invoice": "invoice: too many"}}'
    )
    loader.execute(
        "insert into ops.publish (state, actor, mappings, report, started_at)"
        " values ('published', 'a', '{}', %s, '2026-03-01 08:00Z')",
        (report,),
    )
    loader.execute("insert into ops.published (entity, publish_id, actor) values ('order', 1, 'a')")
    for n, (published, reason) in enumerate([(True, "no day"), (False, "no day"), (False, "no currency")]):
        loader.execute(
            "insert into ops.held_back (entity, golden_id, publish_id, since_publish_id, published, expectations,"
            " reason, suite, records) values ('order', %s, 1, 1, %s, '{}', %s, '', '{}')",
            (f"00000000-0000-0000-0000-00000000000{n}", published, reason),
        )
        loader.execute(
            "insert into ops.golden_record_warning (entity, golden_id, expectation, reason, publish_id,"
            " ended_publish_id) values ('order', %s, 'e', 'odd', 1, %s)",
            (f"00000000-0000-0000-0000-00000000001{n}", 1 if n == 2 else None),
        )
    return loader


def test_what_is_held_back_is_counted_by_entity_and_reason_and_a_refused_entity_is_named(held: psycopg.Connection):
    loader = held
    assert [(each.reason, each.golden_records, each.published) for each in held_back(loader)] == [
        ("no day", 2, 1),
        ("no currency", 1, 0),
    ]
    since, golden = "Held back since 2026-03-01 08:00 UTC:", "00000000-0000-0000-0000-00000000000"
    assert held_back_lines(held_back(loader), refused_entities(loader)) == [
        "Left out of the last publish: invoice: too many",
        f"{since} 2 of order (1 at an earlier state, 1 unpublished): no day. One of them: {golden}0",
        f"{since} 1 of order (0 at an earlier state, 1 unpublished): no currency. One of them: {golden}2",
    ]
    assert entity_lines(entity_statuses(loader)) == [
        "conformed.order: 97 golden records (97 from 1 system), 3 held back (3.00%), 2 with a warning"
    ]
    assert held_back_lines(held_back(loader), {}, most=1)[1:] == ["Held back for 1 more reasons: bin/onefold held-back"]
    assert [(each.entity, each.reason, each.golden_records) for each in warned(loader)] == [("order", "odd", 2)]
    assert held_back(loader, entity="invoice") == warned(loader, entity="invoice") == []


def test_each_golden_record_that_is_held_back_is_listed_once_page_by_page(held: psycopg.Connection):
    first = held_back_records(held, entity="order", limit=2)
    rest = held_back_records(held, entity="order", before=first.before, limit=2)
    assert [each.golden_id[-1] for each in (*first.rows, *rest.rows)] == ["2", "1", "0"]
    assert (rest.before, rest.rows[0].published, rest.rows[0].reason) == (None, True, "no day")
    with pytest.raises(Fatal, match="is not what a page gives for the next one"):
        held_back_records(held, before="1/0; drop table")


def test_the_command_shows_which_golden_records_are_held_back_and_why(
    held: psycopg.Connection, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", as_role(warehouse_url, "onefold_engineer"))

    def said(*arguments: str) -> str:
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 0, result.output
        return result.output

    assert "Left out of the last publish: invoice: too many" in said()
    assert "2 of order (1 at an earlier state, 1 unpublished): no day." in said("order")
    assert "Published with a warning: 2 of order: odd" in said("order")
    assert "Left out" not in said("order") and "No golden record is held back." in said("refund")
    shown = json.loads(said("--json"))
    assert [each["golden_records"] for each in shown["held_back"]] == [2, 1]
    assert (shown["refused_entities"], len(shown["warnings"])) == ({"invoice": "invoice: too many"}, 1)
    page = json.loads(said("order", "--records", "--limit", "2", "--json"))
    assert len(page["rows"]) == 2
    assert "00000000-0000-0000-0000-000000000000" in said("--records", "--before", page["before"])
    unknown = CliRunner().invoke(command, ["ordr"])
    assert isinstance(unknown.exception, Fatal) and "no entity 'ordr'" in str(unknown.exception)
