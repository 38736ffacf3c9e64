"""From a message of a topic to a published record, on a broker and a real load."""

from __future__ import annotations

import json
import re

import psycopg
import pytest

from onefold.connectors.kafka import cluster
from onefold.connectors.kafka.peek import TopicPeek
from onefold.errors import Fatal, Rejected, Retriable
from onefold.http.endpoint import Endpoint
from tests.connectors.debezium.recorded import FIELDS, recorded
from tests.connectors.kafka.conftest import Topic
from tests.connectors.queue_loads import orders


def offsets(topic: Topic) -> dict[str, int]:
    return json.loads(topic.loads.checkpoint())["offsets"]


def alter(topic: Topic, **changes: object) -> None:
    """Make another checkpoint of the stored one."""
    changed = json.dumps(json.loads(topic.loads.checkpoint()) | changes)
    with psycopg.connect(topic.loads.url) as owner:
        owner.execute("update ops.stream_checkpoint set checkpoint = %s", (changed,))


def test_a_load_goes_on_after_the_last_one_and_an_idle_one_stays_there(topic: Topic) -> None:
    system = topic.system(next={"size": 4})
    topic.add(*((f"k{number % 9}", number) for number in range(20)))
    load = topic.loads.load(system)
    assert load.rows_read == 20
    assert topic.loads.published() == dict(topic.log(3))
    before = offsets(topic)
    assert sum(before.values()) == 20
    assert (topic.loads.load(system).rows_read, offsets(topic)) == (0, before)
    topic.add(("k1", 100))
    assert topic.loads.load(system).rows_read == 1
    assert topic.loads.published()["k1"] == 100


def test_a_message_is_seen_until_it_is_published(topic: Topic) -> None:
    system, loads = topic.system(), topic.loads
    with TopicPeek(system, loads.endpoint) as peek:
        assert not peek.has_more("order", {})
        topic.add(("a", 1))
        assert peek.has_more("order", {})
        loads.load(system)
        assert not peek.has_more("order", {"": loads.checkpoint()})
        topic.add(("a", 2))
        assert peek.has_more("order", {"": loads.checkpoint()})
        loads.load(system)
        assert not peek.has_more("order", {"": loads.checkpoint()})
        topic.delete()
        assert not peek.has_more("order", {"": loads.checkpoint()}), "the next load says what is lost"


def test_a_null_deletes_the_record_of_its_key_and_a_later_message_brings_it_back(topic: Topic) -> None:
    topic.add(("a", 1), ("c", 3))
    topic.send((b'{"id":"b"}', b'{"id":"b","number":2}'), (b"a", None), (b'{"id":"b"}', None), (b"c", None))
    topic.add(("c", 4))
    topic.loads.load(topic.system())
    assert topic.loads.published() == {"c": 4}
    topic.send((b"c", None))
    topic.loads.load(topic.system())
    assert topic.loads.published() == {}


def test_what_nobody_can_read_waits_in_quarantine_and_stops_no_other(topic: Topic) -> None:
    topic.add(("a", 1))
    topic.send((b"a", b"no JSON"), (None, b"\xff\xfe"), (b"x", b'{"number": 5}'), (None, b""))
    topic.add(("b", 2))
    load = topic.loads.load(topic.system())
    assert (load.rows_read, load.rows_quarantined) == (6, 4)
    assert topic.loads.published() == {"a": 1, "b": 2}


def test_debezium_events_end_as_the_source_has_them(topic: Topic) -> None:
    fields = {name: {"type": kind, "required": False} for name, kind in FIELDS["whole"].items()}
    system = topic.system(request={"envelope": "debezium"}, fields=fields, deletes={"max_share": 1})
    events = recorded("with_schema", "whole")
    topic.delete()
    topic.create(1)
    topic.send(*events[:8])
    topic.loads.load(system)
    current = "select _key, _payload ->> 'amount' from staging.test_queue__order__current where not _deleted order by 1"
    assert topic.loads.query(current) == [("100", "1.00"), ("11", "-2.25")]
    topic.send(*events[8:])
    topic.loads.load(system)
    assert topic.loads.query(current) == [("22", "3.00")]


def test_a_table_that_was_emptied_is_refused_where_its_topic_has_several_partitions(topic: Topic) -> None:
    fields = {name: {"type": kind, "required": False} for name, kind in FIELDS["whole"].items()}
    topic.send(*recorded("with_schema", "whole"))
    with pytest.raises(Fatal, match=r"the topic has 3 partitions.*skipped\.operations=t.*--anew order"):
        topic.loads.load(topic.system(request={"envelope": "debezium"}, fields=fields))


def test_how_many_messages_wait_is_known_before_and_after_a_load(topic: Topic) -> None:
    system = topic.system()
    topic.loads.load(system)
    assert topic.loads.lag(system).lag_messages == 0
    topic.add(*((f"k{number}", number) for number in range(7)))
    broken = topic.system(fields={"id": {"type": "text", "path": "no.id"}})
    with pytest.raises(Rejected):
        topic.loads.load(broken)
    lag = topic.loads.lag(system)
    assert (lag.lag_messages, lag.lag_seconds is not None) == (7, True)
    topic.loads.load(system)
    lag = topic.loads.lag(system)
    assert (lag.lag_messages, lag.lag_seconds, lag.position) == (0, 0, lag.log_end)


LOSSES: tuple[tuple[dict[str, object], str], ...] = (
    ({"cluster": "another"}, "they are of the cluster another, and the connection leads to first_cluster"),
    ({"topic_id": "AaIrtFw7eyK8yIiCI0YZeA"}, "the topic was deleted and made anew"),
    ({"offsets": {"0": 0, "1": 0, "2": 0, "3": 0}}, "the topic was deleted and made anew"),
    ({"offsets": {"0": 10**6, "1": 0, "2": 0}}, "partition 0 ends at .*it was made anew, restored"),
    ({"offsets": {"0": -5, "1": 0, "2": 0}}, "partition 0 begins at 0: 5 messages were removed"),
)


def test_offsets_that_are_not_the_topics_stop_the_stream_until_it_is_loaded_anew(topic: Topic) -> None:
    topic.add(("a", 1), ("b", 2))
    topic.loads.load(topic.system())
    held = json.loads(topic.loads.checkpoint())
    topic.add(("a", 3))
    for changes, said in LOSSES:
        alter(topic, **(held | changes))
        with pytest.raises(Fatal, match=said + r".*bin/onefold sync test_queue --anew order"):
            topic.loads.load(topic.system())
    assert topic.loads.published() == {"a": 1, "b": 2}
    topic.loads.load(topic.system(), anew=True)
    assert topic.loads.published() == {"a": 3, "b": 2}


def test_a_topic_that_was_made_anew_is_noticed_and_its_messages_are_newer_than_what_was_read_before(
    topic: Topic,
) -> None:
    topic.add(("a", 1), ("a", 2), ("b", 3))
    topic.loads.load(topic.system())
    topic.delete()
    topic.create(3)
    topic.add(*[("a", 9)] * 5)
    with pytest.raises(Fatal, match="deleted and made anew"):
        topic.loads.load(topic.system())
    load = topic.loads.load(topic.system(), anew=True)
    assert (topic.loads.published(), load.rows_deleted) == ({"a": 9, "b": 3}, 0)


def test_new_partitions_are_read_from_the_next_load_on_and_count_as_newer(topic: Topic) -> None:
    topic.add(*((f"k{number}", number) for number in range(12)))
    topic.loads.load(topic.system())
    held = offsets(topic)
    gone = max(held, key=lambda partition: held[partition])
    alter(topic, offsets={each: offset for each, offset in held.items() if each != gone})
    epoch = json.loads(topic.loads.checkpoint())["epoch"]
    assert topic.loads.load(topic.system()).rows_read == 0
    assert json.loads(topic.loads.checkpoint())["epoch"] > epoch
    assert offsets(topic) == held | {gone: 0}
    load = topic.loads.load(topic.system())
    assert (load.rows_read, load.rows_new, load.rows_changed) == (held[gone], 0, 0)
    assert topic.loads.published() == dict(topic.log(3))


def test_a_topic_that_is_not_there_and_a_broker_that_does_not_answer_are_said(topic: Topic) -> None:
    with pytest.raises(Fatal, match=r"the cluster has no topic nowhere.*request\.topic"):
        topic.loads.load(topic.system(request={"topic": "nowhere"}))
    topic.loads.endpoint = Endpoint("kafka://127.0.0.1:1")
    with pytest.raises(Retriable, match=r"METADATA .*failed 2 times"):
        topic.loads.load(topic.system(limits={"timeout": "PT1S"}))
    topic.loads.endpoint = Endpoint("https://127.0.0.1")
    with pytest.raises(Fatal, match="Give it the type kafka"):
        topic.loads.load(topic.system())
    topic.loads.endpoint = Endpoint("kafka://127.0.0.1:1", extra={"no.such.setting": "secret"})
    with pytest.raises(Fatal, match="a setting that Kafka's client") as refused:
        topic.loads.load(topic.system())
    assert not re.search("secret", str(refused.value))


def test_a_login_is_the_clients_and_the_readers_own_settings_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}
    monkeypatch.setattr(cluster, "Consumer", given.update)
    extra = {"bootstrap.servers": "a:1,b:2", "isolation.level": "read_uncommitted", "plugin.library.paths": "/evil.so"}
    system = orders("kafka", {"topic": "t"})
    settings = cluster._settings(system, Endpoint("kafka://a:1", "reader", "secret", extra))
    cluster.Clients(settings, 1.0)
    assert (given["sasl.username"], given["sasl.password"]) == ("reader", "secret")
    assert given["bootstrap.servers"] == "a:1,b:2"
    assert given["isolation.level"] == "read_committed"
    assert "plugin.library.paths" not in given
