"""A sync starts as soon as there is anything to load, however often events are lost, runs fail or parts are down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

import psycopg
import pytest
from airflow.sdk import AssetOrTimeSchedule, CronDataIntervalTimetable

from onefold.catalog.reader import read_systems
from onefold.catalog.system import ON_CHANGE, System
from onefold.connectors.registry import PROTOCOLS, connector_class
from onefold.orchestration import watched_system
from onefold.orchestration.prompt_start import ChangeTrigger, sync_schedule
from onefold.orchestration.watched_system import AGAIN, DOWN, EVERY, LONGEST, LONGEST_DOWN, WatchedSystem
from tests.roles import as_role

HEAD = {"system": "test_bell", "title": "Bell", "protocol": "webhook", "connection": "t", "schedule": "0 * * * *"}
STREAM = {"title": "Rings", "webhook": {"signature": "stripe"}, "primary_key": ["id"], "fields": {"id": "text"}}
SYSTEM = System.model_validate({**HEAD, "start": "on_change", "streams": {"ring": STREAM}})


@dataclass
class Source:
    """A source of one stream, whose log ends at `end`; down while `error` is set. It counts who holds it open."""

    end: int = 0
    error: Exception | None = None
    opened: int = 0
    held: int = 0
    looks: int = 0

    def open(self, _: System) -> Source:
        if self.error:
            raise self.error
        self.opened += 1
        return self

    def __enter__(self) -> Self:
        self.held += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.held -= 1

    def has_more(self, stream_name: str, checkpoints: Mapping[str, str]) -> bool:
        self.looks += 1
        if self.error:
            raise self.error
        return self.end > int(checkpoints.get("", "0"))


@dataclass
class Bell:
    """What watches the source, with its warehouse and its clock."""

    url: str
    source: Source = field(default_factory=Source)
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.watched = WatchedSystem("test_bell", self.source.open, lambda: self.now)

    def rings(self) -> bool:
        streams, _ = self.watched.look()
        assert streams in ([], ["ring"])
        return bool(streams)

    def publish(self, position: int) -> None:
        """As a load does."""
        with psycopg.connect(self.url) as connection:
            connection.execute("set session_replication_role = replica")  # there is no load
            connection.execute("delete from ops.stream_checkpoint where system = 'test_bell'")
            connection.execute(
                "insert into ops.stream_checkpoint (system, stream, partition, checkpoint, load_id, since_load)"
                " values ('test_bell', 'ring', '', %s, 1, 1)",
                (str(position),),
            )


@pytest.fixture
def bell(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Bell:
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", as_role(warehouse_url, "onefold_loader"))
    monkeypatch.setattr(watched_system, "read_systems", lambda: {"test_bell": SYSTEM})
    return Bell(warehouse_url)


def test_what_comes_while_a_load_runs_starts_the_next_one_as_soon_as_that_has_published(bell: Bell) -> None:
    assert not bell.rings()
    bell.source.end = 1
    assert bell.rings()
    bell.source.end = 2
    assert not bell.rings(), "a load is on its way: one start is enough"
    bell.publish(1)
    assert bell.rings()
    bell.publish(2)
    assert not bell.rings()


def test_a_start_that_airflow_lost_or_a_load_that_failed_is_repeated_ever_more_seldom(bell: Bell) -> None:
    bell.source.end = 1
    pauses, last = [], bell.now
    assert bell.rings()
    while len(pauses) < 7:
        bell.now += 5
        if bell.rings():
            pauses.append(bell.now - last)
            last = bell.now
    assert pauses == [AGAIN, 2 * AGAIN, 4 * AGAIN, 8 * AGAIN, 16 * AGAIN, LONGEST, LONGEST]
    bell.publish(1)
    bell.source.end = 2
    assert bell.rings(), "once something is published it starts at once again"


def pause_after_failure(watched: WatchedSystem) -> float:
    """As the trigger does."""
    with pytest.raises(psycopg.OperationalError) as raised:
        watched.look()
    watched.close()
    return watched.failed(raised.value)


def test_a_trigger_whose_source_is_down_goes_on_and_opens_its_ways_anew(
    bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_system, "DOWN", 0.01)
    made: Callable[..., WatchedSystem] = watched_system.WatchedSystem
    monkeypatch.setattr(watched_system, "WatchedSystem", lambda name: made(name, bell.source.open))
    bell.source.end = 1

    async def listen() -> object:
        events = ChangeTrigger("test_bell", "1").run()
        assert (await anext(events)).payload
        bell.publish(1)
        bell.source.end, bell.source.error = 2, LookupError("whatever a driver raises")
        heard = asyncio.create_task(anext(events))
        while bell.source.held:
            await asyncio.sleep(0.01)
        bell.source.error = None
        return (await heard).payload

    assert asyncio.run(asyncio.wait_for(listen(), 20)) == {"system": "test_bell", "streams": ["ring"]}
    assert bell.source.opened == 2


def test_a_source_that_is_down_is_asked_ever_more_seldom_and_said_once_without_its_secrets(
    bell: Bell, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert not bell.rings()
    bell.source.end, bell.source.error = 1, psycopg.OperationalError("no way in for reader:secret@erp")
    pauses = [pause_after_failure(bell.watched) for _ in range(8)]
    assert pauses == [DOWN, 2 * DOWN, 4 * DOWN, 8 * DOWN, 16 * DOWN, 32 * DOWN, LONGEST_DOWN, LONGEST_DOWN]
    assert bell.source.held == 0
    bell.source.error = None
    assert bell.rings() and bell.source.held == 1
    said = [record.getMessage() for record in caplog.records if "test_bell" in record.getMessage()]
    assert len(said) == 2 and "OperationalError" in said[0] and "seen again" in said[1]
    assert "secret" not in caplog.text
    bell.watched.close()
    assert bell.source.held == 0


def test_looking_takes_one_connection_and_at_most_a_tenth_of_the_time(bell: Bell) -> None:
    slow = bell.source.has_more

    def slowly(stream_name: str, checkpoints: Mapping[str, str]) -> bool:
        bell.now += 2
        return slow(stream_name, checkpoints)

    assert [bell.watched.look()[1] for _ in range(3)] == [EVERY] * 3
    bell.source.has_more = slowly
    assert bell.watched.look()[1] == 18
    assert bell.source.opened == 1


def test_a_trigger_is_made_anew_from_what_it_says_and_another_yaml_is_another_trigger() -> None:
    def trigger(system: System) -> ChangeTrigger:
        schedule = sync_schedule(system)
        assert isinstance(schedule, AssetOrTimeSchedule)
        (asset,) = schedule.asset_condition.objects
        (watcher,) = asset.watchers
        return watcher.trigger

    ours = trigger(SYSTEM)
    path, given = ours.serialize()
    module, _, name = path.rpartition(".")
    assert (module, name) == (ChangeTrigger.__module__, "ChangeTrigger")
    assert ChangeTrigger(**given).serialize() == ours.serialize() == trigger(SYSTEM).serialize()
    assert trigger(SYSTEM.model_copy(update={"schedule": "5 * * * *"})).serialize() != ours.serialize()
    assert isinstance(sync_schedule(SYSTEM.model_copy(update={"start": "on_schedule"})), CronDataIntervalTimetable)


def test_the_trigger_fires_goes_on_looking_and_lets_go_of_its_connections_when_it_is_ended(
    bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_system, "EVERY", 0.01)
    monkeypatch.setattr(watched_system, "_peek_at", bell.source.open)
    made: Callable[..., WatchedSystem] = watched_system.WatchedSystem
    monkeypatch.setattr(watched_system, "WatchedSystem", lambda name: made(name, bell.source.open))

    async def listen() -> list[object]:
        events = ChangeTrigger("test_bell", "1").run()
        bell.source.end = 1
        heard = [(await anext(events)).payload]
        bell.publish(1)
        bell.source.end = 2
        heard.append((await anext(events)).payload)
        bell.publish(2)  # it goes on looking at once, not when the start is repeated
        ended = asyncio.create_task(anext(events))
        while bell.source.looks < 4:
            await asyncio.sleep(0.01)
        ended.cancel()
        await asyncio.gather(ended, return_exceptions=True)
        return heard

    assert asyncio.run(listen()) == [{"system": "test_bell", "streams": ["ring"]}] * 2
    for _ in range(200):
        if not bell.source.held:
            break
        asyncio.run(asyncio.sleep(0.01))
    assert bell.source.held == 0


def test_of_a_system_without_log_or_queue_the_end_of_the_last_window_counts_and_it_is_asked_as_its_yaml_says(
    bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm = read_systems()["salesforce"].model_copy(update={"system": "test_bell"})
    monkeypatch.setattr(watched_system, "read_systems", lambda: {"test_bell": crm})
    asked: list[tuple[str, Mapping[str, str]]] = []
    monkeypatch.setattr(
        bell.source, "has_more", lambda stream, checkpoints: bool(asked.append((stream, checkpoints))) or True
    )
    with psycopg.connect(bell.url) as connection:
        connection.execute("set session_replication_role = replica")  # there is no load
        connection.execute(
            "insert into ops.cursor (system, stream, value, window_end, load_id)"
            " values ('test_bell', 'account', null, '2026-03-01T10:00:00.25Z', 1)"
        )
    assert bell.watched.look() == (list(crm.streams), 10.0)
    found = dict(asked)
    assert datetime.fromisoformat(found["account"][""]) == datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC)
    assert found["contact"] == {}


def test_exactly_the_protocols_that_say_cheaply_whether_there_is_more_can_start_on_change() -> None:
    some = next(iter(read_systems().values())).model_copy(update={"python": None})
    can = {
        protocol
        for protocol in PROTOCOLS
        if connector_class(some.model_copy(update={"protocol": protocol})).capabilities.peeks
    }
    assert can == set(ON_CHANGE)


def test_a_system_that_cannot_be_asked_cheaply_is_refused_in_the_yaml() -> None:
    with pytest.raises(
        ValueError, match="start: on_change is for protocols cdc, webhook, kafka, rabbitmq, redis_stream"
    ):
        System.model_validate({**HEAD, "protocol": "rest", "start": "on_change", "streams": {}})
