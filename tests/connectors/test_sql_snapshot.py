"""A table that is read in one transaction is read as it was at its beginning."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from onefold.connectors.sql.reader import sql_reader
from onefold.errors import Retriable
from onefold.platform.postgres import Postgres
from tests.connectors.databases import EVERYTHING, Source, keys, on_mariadb, on_postgresql, system
from tests.connectors.test_sql import rows, table

SNAPSHOT = {"table": "klienci", "snapshot": True}


@pytest.fixture(params=["postgresql", "mariadb"])
def source(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[Source]:
    postgresql = request.param == "postgresql"
    with on_postgresql(postgres) if postgresql else on_mariadb(request.getfixturevalue("maria")) as source:
        yield source


def test_what_changes_between_two_pages_is_not_seen_by_a_snapshot(source: Source):
    source.fill(table(), rows(40, name="before"))
    of = system("klienci", cursor=None, rows=10, request=SNAPSHOT)
    with source.open(of) as database:
        pages = sql_reader(of, "klient", database, lambda window: None)(EVERYTHING, None)
        read = [next(pages)]
        source.run(
            "delete from klienci where id = 990",
            "update klienci set nazwa = 'after'",
            "update klienci set id = 1 where id = 999",
        )
        read += list(pages)
    assert sorted(map(int, keys(read))) == list(range(961, 1001))
    assert {json.loads(record.payload)["nazwa"].split()[0] for page in read for record in page.records} == {"before"}
    again = source.pages(of)
    assert sorted(map(int, keys(again))) == [1, *(n for n in range(961, 1001) if n not in (990, 999))]


def test_a_snapshot_that_is_lost_is_read_anew_and_never_mixed_with_another(source: Source):
    source.fill(table(), rows(40, name="before"))
    of = system("klienci", cursor=None, rows=10, request=SNAPSHOT)
    with source.open(of) as database:
        pages = sql_reader(of, "klient", database, lambda window: None)(EVERYTHING, None)
        next(pages)
        source.run("update klienci set nazwa = 'after'")
        source.cut()
        read = list(pages)
    assert sorted(map(int, keys(read))) == list(range(961, 1001))
    assert {json.loads(record.payload)["nazwa"] for page in read for record in page.records} == {"after"}


def test_a_snapshot_that_is_lost_again_and_again_says_what_to_do(source: Source):
    source.fill(table(), rows(40, name="before"))
    of = system("klienci", cursor=None, rows=10, request=SNAPSHOT)
    with source.open(of) as database, pytest.raises(Retriable, match=r"in one transaction.*request\.snapshot"):
        for _ in sql_reader(of, "klient", database, lambda window: None)(EVERYTHING, None):
            source.cut()
