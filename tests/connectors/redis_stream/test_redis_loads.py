"""What a load of a Redis stream publishes, and that nothing is lost unseen."""

from __future__ import annotations

import json

import pytest

from onefold.connectors.redis_stream import reader
from onefold.connectors.redis_stream.peek import StreamPeek
from onefold.connectors.redis_stream.position import EntryId, cursor
from onefold.errors import Fatal, Retriable
from tests.connectors.redis_stream.conftest import Shop


def test_each_load_reads_on_from_the_one_before_and_an_idle_one_stays_there(shop: Shop) -> None:
    system = shop.system()
    shop.add(("a", 1), ("b", 2), ("a", 3))
    assert shop.loads.load(system).rows_read == 3
    assert shop.loads.published() == {"a": 3, "b": 2}
    before = json.loads(shop.loads.checkpoint())
    assert shop.loads.load(system).rows_read == 0
    after = json.loads(shop.loads.checkpoint())
    assert (after["position"], after["added"]) == (before["position"], before["added"])
    shop.add(("b", 4))
    assert shop.loads.load(system).rows_read == 1
    assert shop.loads.versions() == [("b", 2), ("a", 3), ("b", 4)], "of several in one load the last"


def test_ids_are_ordered_as_numbers_also_where_their_text_is_not(shop: Shop) -> None:
    for entry, number in (("5-9", 1), ("5-13", 2), ("40-0", 3)):
        shop.add(("k", number), entry=entry)
    shop.loads.load(shop.system())
    assert shop.loads.published() == {"k": 3}
    ids = [EntryId(5, 9), EntryId(5, 13), EntryId(40, 0), EntryId(2**64 - 1, 2**64 - 1)]
    texts = [cursor(1, each, place) for each in ids for place in (0, 9, 10)]
    assert texts == sorted(texts) and len({len(text) for text in texts}) == 1


def test_records_are_the_json_of_a_field_and_a_flag_deletes_one(shop: Shop) -> None:
    fields = {"id": "text", "number": "integer", "gone": {"type": "boolean", "required": False}}
    more = {"fields": fields, "deletes": {"flag": {"field": "gone", "equals": True}}, "records": "orders"}
    system = shop.system(request={"field": "body"}, **more)
    both = [{"id": "a", "number": 1}, {"id": "b", "number": 2}, {"id": "a", "number": 3}]
    shop.client.xadd(shop.key, {"body": json.dumps({"orders": both}), "sender": "web"})
    shop.loads.load(system)
    assert shop.loads.published() == {"a": 3, "b": 2}
    shop.client.xadd(shop.key, {"body": json.dumps({"orders": [{"id": "a", "number": 3, "gone": True}]})})
    shop.loads.load(system)
    assert shop.loads.published() == {"b": 2}


def test_an_entry_that_nobody_can_read_waits_in_quarantine_and_stops_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "FIRST_ROWS", 3)
    system = shop.system(request={"field": "body"})
    large = {"id": "large", "number": 7, "note": "x" * (10 << 20)}
    odd = (b"no JSON", b"\xff\xfe\x00", b"[1, 2]", b"", b'{"number": 5}', b'{"id": "c", "number": "\\ud800"}')
    for body in (b'{"id": "a", "number": 1}', *odd, json.dumps(large), b'{"id": "b", "number": 2}'):
        shop.client.xadd(shop.key, {"body": body})
    shop.client.xadd(shop.key, {"other": b"\xff"})
    load = shop.loads.load(system)
    assert shop.loads.published() == {"a": 1, "large": 7, "b": 2}
    assert (load.rows_read, load.rows_quarantined) == (10, 7)
    assert shop.loads.query("select count(*) from ops.quarantine where state = 'open'") == [(7,)]
    assert shop.loads.load(system).rows_read == 0


def test_entries_that_were_trimmed_before_they_were_read_are_counted_and_stop_the_stream_until_it_is_loaded_anew(
    shop: Shop,
) -> None:
    system = shop.system()
    shop.add(*((f"k{n}", n) for n in range(10)))
    shop.client.xtrim(shop.key, maxlen=8, approximate=False)
    shop.loads.load(system)
    assert len(shop.loads.published()) == 8, "what was gone before the first load is not missed"
    shop.client.xtrim(shop.key, maxlen=1, approximate=False)
    shop.add(("a", 11), ("b", 12), ("c", 13))
    shop.client.xtrim(shop.key, maxlen=3, approximate=False)
    assert shop.loads.load(system).rows_read == 3, "what was trimmed was read before"
    shop.add(("a", 14), ("b", 15), ("c", 16))
    shop.client.xtrim(shop.key, maxlen=1, approximate=False)
    for _ in range(2):
        with pytest.raises(Fatal, match=r"2 entries were trimmed .* bin/onefold sync test_queue --anew order"):
            shop.loads.load(system)
    assert shop.loads.published()["c"] == 13
    assert shop.loads.lag(system).lag_messages == 0, "of the look before the loss"
    shop.loads.load(system, anew=True)
    assert shop.loads.published()["c"] == 16 and shop.loads.load(system).rows_read == 0


def test_an_entry_that_is_deleted_before_it_was_read_is_missed_and_one_that_was_read_is_not(shop: Shop) -> None:
    system = shop.system()
    shop.add(("a", 1), entry="1-0")
    shop.loads.load(system)
    shop.client.xdel(shop.key, "1-0")
    shop.add(("b", 2), entry="2-0")
    shop.loads.load(system)
    shop.add(("c", 3), entry="3-0")
    shop.add(("d", 4), entry="4-0")
    shop.client.xdel(shop.key, "3-0")
    with pytest.raises(Fatal, match="1 entries were trimmed or deleted before they were read"):
        shop.loads.load(system)
    assert shop.loads.published() == {"a": 1, "b": 2}


def test_entries_that_are_trimmed_while_they_are_read_are_missed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    system = shop.system(next={"size": 5})
    shop.add(("a", 1))
    shop.loads.load(system)
    shop.add(*((f"k{n}", n) for n in range(20)))
    read = reader._Reader._entries

    def trim_then_read(*given: object) -> object:
        found = read(*given)
        shop.client.xtrim(shop.key, maxlen=10, approximate=False)
        return found

    monkeypatch.setattr(reader._Reader, "_entries", trim_then_read)
    with pytest.raises(Fatal, match="5 entries were trimmed or deleted"):
        shop.loads.load(system)
    assert shop.loads.published() == {"a": 1}


@pytest.mark.parametrize("more", [0, 1, 4, 9])
def test_a_stream_that_was_deleted_and_made_anew_is_noticed_however_much_it_has_now(shop: Shop, more: int) -> None:
    system = shop.system()
    shop.add(*((f"k{n}", n) for n in range(5)))
    shop.loads.load(system)
    shop.client.delete(shop.key)
    shop.add(("new", 1), *((f"n{n}", n) for n in range(more)))
    with pytest.raises(Fatal, match=r"was deleted and made anew.* --anew order"):
        shop.loads.load(system)
    assert len(shop.loads.published()) == 5
    shop.loads.load(system, anew=True)
    assert len(shop.loads.published()) == 6 + more


def test_a_stream_made_anew_with_lower_ids_still_brings_what_is_newer(shop: Shop) -> None:
    system = shop.system()
    shop.add(("a", 1), entry="900-0")
    shop.loads.load(system)
    shop.client.delete(shop.key)
    shop.add(("a", 2), entry="1-1")
    epoch = json.loads(shop.loads.checkpoint())["epoch"]
    while shop.client.time()[0] <= epoch:
        pass
    shop.loads.load(system, anew=True)
    assert shop.loads.published() == {"a": 2}


def test_the_lag_is_what_was_added_since_and_how_long_ago_the_stream_ended_at_the_position(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Retriable("away")

    system = shop.system(limits={"lag_messages": 3})
    shop.add(("a", 1))
    shop.loads.load(system)
    lag = shop.loads.lag(system)
    assert (lag.lag_messages, lag.lag_seconds, lag.retained_bytes) == (0, 0, None)
    assert lag.position == lag.log_end == json.loads(shop.loads.checkpoint())["position"]
    shop.add(*(("a", n) for n in range(5)))
    monkeypatch.setattr(reader._Reader, "_entries", fail)
    with pytest.raises(Retriable):
        shop.loads.load(system)
    lag = shop.loads.lag(system)
    assert lag.lag_messages == 5 and lag.lag_seconds is not None and 0 < lag.lag_seconds < 60
    assert "5 messages (limits.lag_messages: 3)" in lag.over_limits(system.limits)["lag"]


def test_an_entry_is_seen_without_a_load_until_it_is_published(shop: Shop) -> None:
    system, loads = shop.system(), shop.loads
    with StreamPeek(system, loads.endpoint) as peek:
        assert not peek.has_more("order", {}), "no stream yet"
        shop.add(("a", 1))
        assert peek.has_more("order", {})
        loads.load(system)
        assert not peek.has_more("order", {"": loads.checkpoint()})
        shop.add(("a", 2))
        assert peek.has_more("order", {"": loads.checkpoint()})
        shop.client.delete(shop.key)
        assert not peek.has_more("order", {"": loads.checkpoint()}), "the next load says what is lost"
