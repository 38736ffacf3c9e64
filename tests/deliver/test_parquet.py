"""Parquet in a folder."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from onefold.deliver.parquet_folder import VIEWS, ParquetFolder, read_manifest
from tests.deliver.world import World

COMPANY = {"legal_name": "Alfa sp. z o.o.", "country": "PL", "credit_limit": "10.50"}


@pytest.fixture
def folder(tmp_path: Path) -> ParquetFolder:
    return ParquetFolder("here", tmp_path / "lake")


def ask(folder: ParquetFolder, query: str) -> list[tuple]:
    with duckdb.connect() as connection:
        connection.execute((folder.folder / VIEWS).read_text())
        return connection.execute(query).fetchall()


def test_analysts_query_the_files_as_they_know_the_tables(world: World, folder: ParquetFolder) -> None:
    world.mart("by_country", "select country, count(*) as customers from conformed.customer group by country")
    world.publish({"customer": {1: COMPANY, 2: COMPANY}, "contact": {1: {"contact_key": "1"}}})
    world.deliver(folder)
    contacts = read_manifest(folder.folder)["views"]["conformed.contact"]["file"]
    world.publish({"customer": {1: COMPANY | {"country": "DE"}}})
    publish = world.deliver(folder).publish_id
    assert ask(folder, "select country from conformed.customer order by 1") == [("DE",), ("PL",)]
    assert ask(folder, "select * from marts.by_country order by 1") == [("DE", 1), ("PL", 1)]
    assert ask(folder, "select count(*) from conformed.customer_history") == [(3,)]
    assert ask(folder, "select country from conformed.customer_as_of(1) order by 1") == [("PL",), ("PL",)]
    manifest = read_manifest(folder.folder)
    assert manifest["publish_id"] == publish
    assert manifest["views"]["conformed.contact"]["file"] == contacts, "what did not change is not written again"
    assert all((folder.folder / each["file"]).exists() for each in manifest["views"].values())


def test_a_delivery_that_dies_between_its_files_and_its_state_is_done_again(
    world: World, folder: ParquetFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish({"customer": {1: COMPANY}})
    world.deliver(folder)
    world.publish({"customer": {1: COMPANY | {"country": "DE"}}})
    replace = Path.replace

    def die(path: Path, to: Path) -> Path:
        if path.name == ".state.duckdb.next":
            raise KeyboardInterrupt
        return replace(path, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            world.deliver(folder)
    assert ask(folder, "select country from conformed.customer") == [("DE",)]
    assert world.deliver(folder).state == "delivered"
    assert ask(folder, "select country from conformed.customer") == [("DE",)]
    assert world.deliver(folder).state == "unchanged"
