"""Whatever way the pages come, staging holds what the source said: checked against the rule, written down in Python."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from onefold.catalog.system import System
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.errors import Retriable
from onefold.load import steps
from onefold.load.extraction import Source
from onefold.warehouse.tables import StagingTable
from tests.effort import TORTURE
from tests.load.shop import SHOP, Shop, pages, record

KEYS = "abcd"
EXAMPLES = 300 if TORTURE else 4
_streams = itertools.count(1)
SUITE = "name: {}\nexpectations:\n  - {{type: expect_column_values_to_not_be_null, kwargs: {{column: id}}}}\n"


class Killed(BaseException):
    """The process is gone: nothing that would tidy up gets to run."""


@dataclass(frozen=True)
class Reading:
    """What the source said of a key at a time of its clock. Several keys may share a time: a tie on the cursor."""

    key: str
    minute: int
    content: int
    deleted: bool

    def record(self) -> Record:
        return record(self.key, self.minute, deleted=self.deleted, credit=self.content)


@dataclass(frozen=True)
class Delivery:
    """One load: its pages, and how its first attempts end (at which page, and whether they can still say so)."""

    pages: tuple[tuple[Reading, ...], ...]
    interruptions: tuple[tuple[int, bool], ...]


Deliver = Callable[[list[Delivery]], list[tuple]]


@st.composite
def histories(draw: st.DrawFn) -> list[list[Reading]]:
    """What the source gives to each of up to three loads: overlapping windows of one history, late rows among them."""
    minutes = st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)
    history = [
        Reading(key, minute, draw(st.integers(0, 2)), draw(st.booleans())) for key in KEYS for minute in draw(minutes)
    ]
    return [
        draw(st.lists(st.sampled_from(history), min_size=1, max_size=8, unique=True))
        for _ in range(draw(st.integers(1, 3)))
    ]


@st.composite
def deliveries(draw: st.DrawFn, readings: list[Reading]) -> Delivery:
    """The same readings in any order, some of them again, on any number of pages, with interruptions."""
    repeated = draw(st.lists(st.sampled_from(readings), max_size=4))
    order = draw(st.permutations(readings + repeated))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=3)))
    groups = tuple(tuple(order[a:b]) for a, b in itertools.pairwise([0, *cuts, len(order)]))
    interruptions = draw(st.lists(st.tuples(st.integers(0, len(groups) - 1), st.booleans()), max_size=2))
    return Delivery(groups, tuple(interruptions))


def truth(history: list[list[Reading]]) -> list[tuple[str, int, int, bool]]:
    """The versions that each key must have, oldest first: of every load the newest reading, where it is newer than what
    is held and says something else.
    """
    versions: dict[str, list[Reading]] = {}
    for readings in history:
        for key in {reading.key for reading in readings}:
            newest = max((r for r in readings if r.key == key), key=lambda r: r.minute)
            held = versions.setdefault(key, [])
            if not held or newest.minute > held[-1].minute:
                # the time of change is part of the content: a newer reading always says something else
                held.append(newest)
    return [(key, v.minute, v.content, v.deleted) for key in sorted(versions) for v in versions[key]]


@pytest.fixture
def deliver(
    loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[list[Delivery]], list[tuple]]:
    """Loads deliveries into a stream that nobody has used, and gives the versions that staging then has."""
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))

    def run(loads: list[Delivery]) -> list[tuple]:
        stream = f"customer{next(_streams)}"
        (tmp_path / f"shop__{stream}.yaml").write_text(SUITE.format(f"shop__{stream}"))
        system = SHOP.model_dump(exclude_unset=True) | {"streams": {stream: SHOP.streams["customer"]}}
        shop = Shop(loader_url, tmp_path, System.model_validate(system), stream)
        for number, delivery in enumerate(loads):
            whole = pages(*[[reading.record() for reading in group] for group in delivery.pages])
            for at, can_say_so in delivery.interruptions:
                job = shop.job(whole, run=f"run{number}", last_attempt=False)
                stopped = Retriable("the source is down") if can_say_so else Killed()
                with suppress(Retriable, Killed):
                    steps.land(replace(job, source=stopping(whole, at, stopped)))
            shop.run(shop.job(whole, run=f"run{number}"))
        with psycopg.connect(loader_url) as connection:
            return connection.execute(
                sql.SQL(
                    "select _key, extract(minute from _cursor::timestamptz)::int, (_payload ->> 'credit')::int,"
                    " _deleted from {} order by _key, _load_id"
                ).format(StagingTable("shop", stream).versions)
            ).fetchall()

    return run


def stopping(whole: list[Page], at: int, stopped: BaseException) -> Source:
    """A source that gives the pages from the asked token on, as far as page `at`, and then stops."""

    @contextmanager
    def source(stream_name: str, usage: object) -> Iterator[object]:
        def read(window: object, token: str | None) -> Iterator[Page]:
            for number in range(int(token or 0), len(whole)):
                if number == at:
                    raise stopped
                yield whole[number]

        yield read

    return source


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(st.data())
def test_any_order_repeats_ties_late_rows_overlaps_and_interruptions_give_the_same_staging(
    deliver: Deliver, data: st.DataObject
):
    history = data.draw(histories())
    expected = truth(history)
    for _ in range(2):
        assert deliver([data.draw(deliveries(readings)) for readings in history]) == expected
