"""The overview's rows of other warehouses."""

from __future__ import annotations

import psycopg
import pytest

from onefold.catalog.delivery_target import DeliveryTarget
from onefold.console.pages import overview
from tests.console.conftest import Ask
from tests.console.figures import shown

TARGET = {"warehouse": "analysts", "title": "Analysts", "kind": "duckdb", "path": "a.duckdb"}


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = {"analysts": DeliveryTarget.model_validate(TARGET)}
    monkeypatch.setattr(overview, "read_delivery_targets", lambda: targets)
    monkeypatch.setattr(overview, "read_systems", dict)


@pytest.mark.usefixtures("catalogue")
def test_each_target_is_shown_with_its_publish_there_and_here_and_why_the_last_attempt_failed(
    warehouse_url: str, console: Ask
) -> None:
    row = "//tr[@data-target='analysts']"
    assert shown(console("engineer").get("/overview").text, row)["state"] == "none yet"
    with psycopg.connect(warehouse_url) as owner:
        publishes = "insert into ops.publish (actor, mappings, state, ended_at) values ('a', '{}', 'published', now())"
        owner.execute(publishes)
        owner.execute(publishes)
        owner.execute("insert into ops.published (entity, publish_id, actor) values ('customer', 2, 'a')")
        attempt = (
            "insert into ops.delivery (target, kind, place, mode, dag_id, run_id, actor, publish_id, rows_written,"
            " rows_held, checksum, read_at, seconds, state, error) values ('analysts', 'duckdb', 'file:///a',"
            " 'changes', 'd', 'r', 'a', 1, 12, 1500, 'abcdef', now(), 2.5, %s, %s)"
        )
        owner.execute(attempt, ("delivered", None))
        owner.execute(attempt, ("failed", "The disk is full <b>."))
    page = console("engineer").get("/overview").text
    assert "<b>." not in page
    assert shown(page, row) == {
        "there": "1",
        "here": "2",
        "rows": "1,500",
        "written": "12",
        "checksum": "abcdef",
        "state": "failed: The disk is full <b>.",
    }
