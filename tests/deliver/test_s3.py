"""Parquet in a bucket of an S3-compatible store, the sandbox's stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from onefold.deliver.audit_and_lineage import record_delivery
from onefold.deliver.bucket import Bucket
from onefold.deliver.parquet_bucket import ParquetBucket
from onefold.deliver.parquet_folder import MANIFEST, VIEWS
from onefold.deliver.run import verify
from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from sandbox.files import s3_bucket
from tests.deliver.world import ENTITIES, RUN, World
from tests.sandbox.serving import served

COMPANY = {"legal_name": "Alfa sp. z o.o.", "country": "PL", "credit_limit": "10.50"}
KEY, SECRET = "key", "s3cret/word"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Endpoint]:
    (tmp_path / "store").mkdir()
    with served("/s3", s3_bucket.routes(tmp_path / "store", KEY, SECRET, writable=True)) as url:
        yield Endpoint("s3://onefold/lake", KEY, SECRET, {"endpoint_url": url, "region": "eu-central-1"})


def target_at(store: Endpoint, folder: Path) -> ParquetBucket:
    return ParquetBucket("here", Bucket("here", store), folder)


def ask(target: ParquetBucket, query: str, folder: Path) -> list[tuple]:
    """What the bucket's views.sql shows, with its files fetched: DuckDB's own client of S3 is not at hand."""
    folder.mkdir(exist_ok=True)
    for key in target.bucket.listed():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        target.bucket.download(key, folder / key)
    with duckdb.connect() as connection:
        connection.execute((folder / VIEWS).read_text().replace(target.place, str(folder)))
        return connection.execute(query).fetchall()


def test_analysts_query_the_files_of_a_bucket_as_they_know_the_tables(
    world: World, store: Endpoint, tmp_path: Path
) -> None:
    target, local = target_at(store, tmp_path / "state"), tmp_path / "local"
    world.mart("by_country", "select country, count(*) as customers from conformed.customer group by country")
    world.publish({"customer": {1: COMPANY, 2: COMPANY}, "contact": {1: {"contact_key": "1"}}})
    world.deliver(target)
    before = set(target.bucket.listed())
    world.publish({"customer": {1: COMPANY | {"country": "DE"}}})
    assert world.deliver(target).state == "delivered"
    assert ask(target, "select country from conformed.customer order by 1", local) == [("DE",), ("PL",)]
    assert ask(target, "select country from conformed.customer_as_of(1)", local) == [("PL",), ("PL",)]
    assert ask(target, "select * from marts.by_country order by 1", local) == [("DE", 1), ("PL", 1)]
    assert before <= set(target.bucket.listed()), "a reader may still be at the files of the delivery before"
    world.publish({"customer": {1: COMPANY}})
    world.deliver(target)
    files = set(target.bucket.listed())
    assert "conformed/customer-1.parquet" in before - files and "conformed/customer-2.parquet" in files
    shown = target.bucket.read(MANIFEST)
    assert world.deliver(target).state == "unchanged"
    assert target.bucket.read(MANIFEST) == shown, "a second delivery writes nothing"


def test_a_delivery_from_another_machine_goes_on_from_the_state_in_the_bucket(
    world: World, store: Endpoint, tmp_path: Path
) -> None:
    here, there = target_at(store, tmp_path / "here"), target_at(store, tmp_path / "there")
    world.publish({"customer": {1: COMPANY, 2: COMPANY}})
    world.deliver(here)
    assert world.deliver(there).state == "unchanged"
    world.publish({"customer": {1: COMPANY | {"country": "DE"}}})
    assert world.deliver(there).written == 2
    assert world.deliver(here).state == "unchanged"
    said = world.target_file("duckdb")
    assert verify(world.loader, here, said, ENTITIES, RUN, recorded=record_delivery)[1] == []


def test_a_delivery_that_another_has_overtaken_shows_nothing(world: World, store: Endpoint, tmp_path: Path) -> None:
    here = target_at(store, tmp_path / "here")
    world.publish({"customer": {1: COMPANY}})
    world.deliver(here)
    world.publish({"customer": {1: COMPANY | {"country": "DE"}}})
    other = here.bucket.read(MANIFEST)

    def overtake(name: str) -> None:
        if name == "pointed":
            here.bucket.write(MANIFEST, other[0] + b"\n")

    with pytest.raises(Retriable, match="somebody else has delivered into s3://onefold/lake"):
        world.deliver(here, step=overtake)
    assert ask(here, "select country from conformed.customer", tmp_path / "local") == [("PL",)]
    assert world.deliver(here).state == "delivered"
    assert ask(here, "select country from conformed.customer", tmp_path / "local") == [("DE",)]


def test_an_answer_that_got_lost_is_no_delivery_of_somebody_else(store: Endpoint) -> None:
    bucket = Bucket("here", store)
    assert bucket.replace("object", b"one", None)
    assert bucket.replace("object", b"one", None), "it was sent again, and met what it had written itself"
    assert not bucket.replace("object", b"two", None)
    _, tag = bucket.read("object")
    assert bucket.replace("object", b"two", tag) and not bucket.replace("object", b"three", tag)


def test_what_the_store_refuses_is_told_with_what_to_do_and_without_the_secret(store: Endpoint) -> None:
    wrong = Endpoint(store.url, KEY, "other", store.extra)
    with pytest.raises(Fatal, match=r"s3://onefold/lake refused with 403 .*s3:GetObject") as refused:
        Bucket("here", wrong).read(MANIFEST)
    assert "other" not in str(refused.value)
    with pytest.raises(Fatal, match="is no bucket"):
        Bucket("here", Endpoint("https://bucket.example"))
