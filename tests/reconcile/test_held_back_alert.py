"""The alert for golden records that are held back: for long, or a large share; it resolves by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from onefold.catalog.entity import EntityGate
from onefold.load.ledger import Run
from onefold.reconcile.held_back_alert import check_held_back
from onefold.reconcile.sla_checks import check_slas
from tests.conform.test_held_back import no_bad_email
from tests.conform.world import PARTNER, World, record


@pytest.fixture
def world(warehouse_url: str, loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    made = World(warehouse_url, loader_url)
    yield made
    made.close()


def alerts(connection: psycopg.Connection) -> list[tuple[str, str, bool]]:
    return connection.execute("select kind, subject, resolved_at is null from ops.alert order by alert_id").fetchall()


def test_what_is_held_back_for_long_or_in_large_number_alerts_until_it_no_longer_is(world: World) -> None:
    def fine(**gate: object) -> bool:
        entity = PARTNER.model_copy(update={"gate": EntityGate.model_validate(gate)})
        return check_held_back(world.connection, "os:tester", entity)

    assert fine()
    world.conform(record("crm", "a", tax_id_pl="1", email="bad"), record("crm", "b", tax_id_pl="2"), gate=no_bad_email)
    assert fine(), "one, since today"
    assert fine(few=0, max_held_back_share=0.5), "1 of 2 is no more than half"
    assert alerts(world.connection) == []
    assert not fine(few=0, max_held_back_share=0.4)
    assert alerts(world.connection) == [("held_back", "partner", True)]
    assert fine()
    assert alerts(world.connection) == [("held_back", "partner", False)]
    world.connection.execute("update ops.publish set started_at = now() - interval '8 days'")
    assert not fine()
    assert not fine()
    assert alerts(world.connection) == [("held_back", "partner", False), ("held_back", "partner", True)]
    (message,) = world.connection.execute("select message from ops.alert where resolved_at is null").fetchone()
    assert message.startswith(
        "1 golden records of partner are held back beside 1 published, 1 of them for more than 7 days."
    )
    world.conform(record("crm", "a", tax_id_pl="1", email="good"), gate=no_bad_email)
    check_slas(world.url, {}, Run("reconcile", "manual__1", "os:tester"), [], None, [], entities=[PARTNER])
    assert [is_open for *_, is_open in alerts(world.connection)] == [False, False]
