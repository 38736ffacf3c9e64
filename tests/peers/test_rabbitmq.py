"""RabbitMQ: what queues and streams bring is the producer's log, whatever dies; what is wrong says what to do."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from onefold.connectors.inbox import Inbox
from onefold.connectors.rabbitmq import queue, stream
from onefold.connectors.rabbitmq.broker import Consumer, Delivery
from onefold.connectors.rabbitmq.queue import count_stored, posted
from onefold.errors import Fatal, Retriable
from onefold.load.job import Job
from tests.connectors.killed_load import MOMENTS, kill_loads, killed, load_when_free
from tests.connectors.rabbit_orders import Rabbit, rabbit_orders
from tests.connectors.rabbit_server import open_broker, programs, running
from tests.effort import TORTURE

pytestmark = pytest.mark.peers
KILLS = 100 if TORTURE else 12
KINDS = ("classic", "quorum", "stream")
SHARED = "abcde"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    found = programs(tmp_path_factory.mktemp("rabbit_programs"))
    with running(tmp_path_factory.mktemp("rabbit"), found) as port:
        yield port


@pytest.fixture(params=KINDS)
def rabbit(
    broker: int, request: pytest.FixtureRequest, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Rabbit:
    return rabbit_orders(broker, request.param, warehouse_url, tmp_path, monkeypatch)


def log_of(rabbit: Rabbit) -> list[tuple[str, int]]:
    """The stream, read by a client of the test's own."""
    found: list[tuple[str, int]] = []
    with open_broker(rabbit.port) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=100)
        for method, _, body in channel.consume(
            rabbit.name, arguments={"x-stream-offset": "first"}, inactivity_timeout=2
        ):
            if method is None:
                break
            order = json.loads(body)
            found.append((order["id"], order["number"]))
            channel.basic_ack(method.delivery_tag)
    return found


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("ids", [True, False], ids=["with message_id", "without"])
def test_a_load_killed_at_any_moment_loses_and_doubles_nothing_and_keeps_the_order(
    rabbit: Rabbit, ids: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "ROWS", 7)
    dice, system, numbers = random.Random(7), rabbit.system(next={"size": 7}), iter(range(10**6))
    sent: list[tuple[str, int]] = []

    def prepare() -> Job:
        new = [
            (dice.choice(SHARED) if dice.random() < 0.3 else f"k{number}", number)
            for number in (next(numbers) for _ in range(dice.randint(5, 60)))
        ]
        rabbit.add(*new, ids=ids)
        sent.extend(new)
        return rabbit.loads.job(system)

    moments = MOMENTS if rabbit.kind == "stream" else (*MOMENTS, "stored")
    kill_loads(KILLS, dice, prepare, lambda job: rabbit.loads.load(system), moments)
    rabbit.loads.load(system)
    if rabbit.kind == "stream":
        assert log_of(rabbit) == sent
    assert rabbit.loads.published() == dict(sent)
    versions = rabbit.loads.versions()
    assert sorted(each for each in versions if each[0] not in SHARED) == sorted(e for e in sent if e[0] not in SHARED)
    places = {order: place for place, order in enumerate(sent)}
    for key in SHARED:
        found = [places[each] for each in versions if each[0] == key]
        assert found == sorted(set(found))
    if rabbit.kind != "stream":
        assert rabbit.loads.query("select count(*), count(distinct body) from inbox.event") == [(len(sent), len(sent))]
        assert rabbit.waiting() == 0


@pytest.mark.parametrize("rabbit", ["classic", "quorum"], indirect=True)
def test_messages_without_an_id_whose_bodies_are_equal_are_all_loaded(rabbit: Rabbit) -> None:
    system = rabbit.system()
    for number in (1, 2, 1):
        rabbit.add(("k", number), ids=False)
        rabbit.loads.load(system)
        assert rabbit.loads.published() == {"k": number}
    rabbit.add(("k", 3), ("k", 4), ("k", 3), ids=False)
    rabbit.loads.load(system)
    assert rabbit.loads.published() == {"k": 3}


@pytest.mark.parametrize("rabbit", ["classic", "quorum"], indirect=True)
@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("lost", [1, 3, 4])
def test_messages_whose_acknowledgement_was_lost_are_stored_once(
    rabbit: Rabbit, ids: bool, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "ROWS", 7)
    rabbit.add(*((f"k{n % 3}", n) for n in range(25)), ids=ids)
    acknowledge, calls = Consumer.acknowledge, itertools.count(1)

    def lose(consumer: Consumer, last: Delivery, *, heard: bool = False) -> None:
        if next(calls) == lost:
            raise Retriable("lost")
        acknowledge(consumer, last, heard=heard)

    with monkeypatch.context() as patch:
        patch.setattr(Consumer, "acknowledge", lose)
        with pytest.raises(Retriable):
            rabbit.loads.load(rabbit.system())
    assert rabbit.loads.query("select count(*) from inbox.event") == [(min(7 * lost, 25),)]
    rabbit.add(("k0", 25), ids=ids)
    load_when_free(rabbit.load)
    assert rabbit.loads.query("select count(*), count(distinct body) from inbox.event") == [(26, 26)]
    assert rabbit.loads.published() == {"k0": 25, "k1": 22, "k2": 23}


def test_only_the_whole_batch_that_was_stored_last_counts_as_stored() -> None:
    def batch(*texts: str, new: str = "") -> list[Delivery]:
        """Messages; those of capital letters have an id."""
        return [
            Delivery(n, text not in new, text if text.isupper() else None, None, text.encode())
            for n, text in enumerate(texts, 1)
        ]

    stored = [each.event_id for texts in ("ab", "aXc") for each in posted(batch(*texts))]
    assert count_stored(stored, batch("a", "X", "c", "d")) == 3
    assert count_stored(stored, batch("a", "X", "c", "a", "c")) == 3
    assert count_stored(stored, batch("c", "d")) == 0
    assert count_stored(stored, batch("a")) == 0
    assert count_stored(stored, batch("a", "b")) == 0
    assert count_stored(stored, batch("a", "c", new="c")) == 0
    assert count_stored(stored, batch("a", "d", "c", new="d")) == 0
    assert count_stored([], batch("a", "X")) == 0
    assert count_stored(["id:X"], batch("a", "X")) == 0


@pytest.mark.parametrize("rabbit", ["classic", "quorum"], indirect=True)
def test_a_message_with_an_id_between_copies_is_stored(rabbit: Rabbit, monkeypatch: pytest.MonkeyPatch) -> None:
    rabbit.add(("a", 1), ids=False)
    rabbit.loads.load(rabbit.system())
    rabbit.add(("b", 2))
    rabbit.add(("a", 1), ids=False)

    def die(*_: object) -> None:
        raise Retriable("died")

    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "store", die)
        with pytest.raises(Retriable):
            rabbit.loads.load(rabbit.system())
    load_when_free(rabbit.load)
    assert rabbit.loads.published() == {"a": 1, "b": 2}


@pytest.mark.parametrize("rabbit", ["quorum"], indirect=True)
def test_loads_that_die_in_a_row_send_no_good_message_to_the_dead_letters(rabbit: Rabbit) -> None:
    rabbit.delete()
    rabbit.declare(**{"x-delivery-limit": 3, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
    with open_broker(rabbit.port) as connection:
        connection.channel().queue_declare("dead", durable=True)
    rabbit.add(*((f"k{n}", n) for n in range(40)))
    job = rabbit.loads.job(rabbit.system())
    for _ in range(6):
        assert killed(job, "gated", 60)
    load_when_free(rabbit.load)
    assert len(rabbit.loads.published()) == 40
    with open_broker(rabbit.port) as connection:
        assert connection.channel().queue_declare("dead", passive=True).method.message_count == 0


def test_bodies_that_nobody_can_read_and_large_ones_stop_no_other(rabbit: Rabbit) -> None:
    system = rabbit.system()
    large = json.dumps({"id": "large", "number": 7, "note": "x" * (10 << 20)}).encode()
    odd = (b"no JSON", b"\xff\xfe\x00", b"[1, 2]", b"", b'{"number": 5}', b'{"id": "c", "number": "\\ud800"}')
    rabbit.add_bodies(b'{"id": "a", "number": 1}', *odd, large, b'{"id": "b", "number": 2}')
    load = rabbit.loads.load(system)
    assert rabbit.loads.published() == {"a": 1, "large": 7, "b": 2}
    assert (load.rows_read, load.rows_quarantined) == (9, 6)
    assert rabbit.loads.load(system).rows_read == 0


def test_a_warehouse_that_goes_away_in_the_middle_costs_nothing(
    rabbit: Rabbit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "ROWS", 7)
    rabbit.add(*((f"k{n}", n) for n in range(60)))
    system = rabbit.system(next={"size": 7})
    calls = []

    def end_sessions() -> None:
        calls.append(1)
        if len(calls) == 3:
            with psycopg.connect(rabbit.loads.url, autocommit=True) as owner:
                owner.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and usename = 'onefold_loader'"
                )

    place = (stream._Reader, "_after") if rabbit.kind == "stream" else (Inbox, "store")
    known = getattr(*place)

    def end_then_do(*given: object) -> object:
        end_sessions()
        return known(*given)

    monkeypatch.setattr(*place, end_then_do)
    with pytest.raises(Retriable):
        rabbit.loads.load(system)
    load_when_free(rabbit.load)
    assert rabbit.loads.published() == {f"k{n}": n for n in range(60)}
    assert len(rabbit.loads.versions()) == 60


@pytest.mark.parametrize("rabbit", ["classic", "quorum"], indirect=True)
def test_a_queue_with_another_consumer_is_left_alone(rabbit: Rabbit) -> None:
    rabbit.add(("a", 1))
    with open_broker(rabbit.port) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume(rabbit.name, lambda *_: None)
        with pytest.raises(Retriable, match=r"another consumer.*a queue of its own"):
            rabbit.loads.load(rabbit.system())
    load_when_free(rabbit.load)
    assert rabbit.loads.published() == {"a": 1}


def test_a_queue_or_stream_that_is_gone_says_so(rabbit: Rabbit) -> None:
    rabbit.add(("a", 1))
    rabbit.loads.load(rabbit.system())
    rabbit.delete()
    with pytest.raises(Fatal, match=r"there is no such queue or stream. Compare request\.queue"):
        rabbit.loads.load(rabbit.system())
    assert rabbit.loads.published() == {"a": 1}


@pytest.mark.parametrize("rabbit", ["quorum"], indirect=True)
@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"password": "another"}, "sign-in failed. Check login and password of the Airflow connection 't'"),
        ({"url": "amqp://127.0.0.1:{port}/nowhere"}, "no such virtual host"),
        ({"url": "https://127.0.0.1"}, "does not lead to a RabbitMQ. Give it the type amqp"),
        ({"extra": {"ssl": "true"}}, "no TLS connection could be made"),
    ],
)
def test_a_wrong_connection_says_what_to_change(rabbit: Rabbit, wrong: dict[str, object], match: str) -> None:
    given = {key: v.format(port=rabbit.port) if isinstance(v, str) else v for key, v in wrong.items()}
    loads = replace(rabbit.loads, endpoint=replace(rabbit.loads.endpoint, **given))
    with pytest.raises(Fatal, match=match):
        loads.load(rabbit.system())


@pytest.mark.parametrize("rabbit", ["stream"], indirect=True)
def test_messages_that_retention_removed_are_counted_and_stop_the_stream_until_it_is_loaded_anew(
    rabbit: Rabbit,
) -> None:
    rabbit.delete()
    rabbit.declare(**{"x-max-length-bytes": 20_000, "x-stream-max-segment-size-bytes": 5_000})
    rabbit.add(("a", 1))
    system = rabbit.system()
    rabbit.loads.load(system)
    for _ in range(20):
        rabbit.add_bodies(*(json.dumps({"id": f"k{n}", "number": n, "note": "x" * 200}).encode() for n in range(40)))
    with pytest.raises(Fatal, match=r"up to [1-9]\d* messages were removed by the stream's retention.*--anew order"):
        rabbit.loads.load(system)
    assert rabbit.loads.published() == {"a": 1}
    rabbit.loads.load(system, anew=True)
    assert rabbit.loads.published()["k39"] == 39 and rabbit.loads.load(system).rows_read == 0


@pytest.mark.parametrize("rabbit", ["stream"], indirect=True)
@pytest.mark.parametrize("more", [0, 2, 9])
def test_a_stream_that_was_deleted_and_made_anew_is_noticed(rabbit: Rabbit, more: int) -> None:
    system = rabbit.system()
    rabbit.add(*((f"k{n}", n) for n in range(3)))
    rabbit.loads.load(system)
    rabbit.delete()
    rabbit.declare()
    rabbit.add(("new", 1), *((f"n{n}", n) for n in range(more)))
    with pytest.raises(Fatal, match=r"made anew.*--anew order"):
        rabbit.loads.load(system)
    rabbit.loads.load(system, anew=True)
    assert len(rabbit.loads.published()) == 4 + more


@pytest.mark.parametrize("rabbit", ["quorum"], indirect=True)
def test_a_load_takes_no_more_than_its_share_and_what_is_left_is_its_lag(
    rabbit: Rabbit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MESSAGES", 25)
    rabbit.add(*((f"k{n}", n) for n in range(60)))
    read, behind = [], []
    for _ in range(4):
        load_when_free(rabbit.load)
        read.append(len(rabbit.loads.published()))
        behind.append(rabbit.loads.lag(rabbit.system()).lag_messages)
    assert read == [25, 50, 60, 60] and behind == [35, 10, 0, 0]
