"""What a target is tried out with, before anybody relies on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from onefold.deliver.conformance import try_target
from onefold.deliver.dialect import PostgresDialect
from onefold.deliver.postgres import PostgresTarget
from onefold.deliver.source import source_at_one_instant
from onefold.platform.postgres import Postgres
from tests.databases import copy_database, drop_database
from tests.deliver.crashing import target_at
from tests.deliver.world import World


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_every_kind_of_value_is_kept_exactly_at_its_limits(
    world: World, postgres: Postgres, tmp_path: Path, kind: str
) -> None:
    name = copy_database(postgres, "template1", "other")
    target = target_at(kind, str(tmp_path / "a.duckdb") if kind == "duckdb" else postgres.url(name))
    with source_at_one_instant(world.loader) as source:
        trials = try_target(source, target)
    drop_database(postgres, name)
    assert [str(each) for each in trials if each.wrong] == [] and len(trials) == 12


def test_a_target_that_rounds_fails_by_the_type_that_it_rounds(
    world: World, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = copy_database(postgres, "template1", "other")
    session = PostgresTarget("there", postgres.url(name), "postgres://there")
    rounding = PostgresDialect()
    monkeypatch.setattr(rounding, "types", {**rounding.types, "timestamp": "timestamptz(3)"})
    monkeypatch.setattr("onefold.deliver.postgres.PostgresSession.dialect", rounding)
    with source_at_one_instant(world.loader) as source:
        failed = [each.what for each in try_target(source, session) if each.wrong]
    drop_database(postgres, name)
    assert failed == ["counts and checksums agree", "every value of type timestamp is kept exactly"]
