"""What a source gives us to go on from is kept with the publish; what it lists whole and no longer has is deleted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from onefold.connectors.page import Page
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.errors import Rejected
from onefold.load import audit_and_lineage, steps
from tests.load.shop import SHOP, Shop, at, pages, record


def ending(given: list[Page], *ended: Partition) -> list[Page]:
    """The pages, the last of which ends these parts."""
    return [*given[:-1], replace(given[-1], ended=ended)]


def load(shop: Shop, *records: Record, ended: tuple[Partition, ...], **more: object):
    return shop.run(shop.job(ending(pages(list(records)), *ended), **more))


def states(shop: Shop) -> dict[str, str]:
    return dict(shop.query("select partition, checkpoint from ops.stream_checkpoint"))


def by_user(shop: Shop) -> Shop:
    """The same source in parts: a record's first key field names its part."""
    stream = SHOP.streams["customer"].model_copy(update={"primary_key": ["nick", "id"]})
    shop.system = SHOP.model_copy(update={"streams": {"customer": stream}})
    return shop


def of(user: str, key: str, minutes: float = 1) -> Record:
    return replace_key(record(key, minutes, nick=user), f'["{user}","{key}"]')


def replace_key(given: Record, key: str) -> Record:
    return Record(key, given.cursor, given.deleted, given.payload)


def now() -> datetime:
    return datetime.now(UTC)


def test_a_state_is_kept_with_the_publish_and_comes_back_with_the_next_window(shop):
    load(shop, record("a", 1), ended=(Partition("", "link 1"),))
    load(shop, record("b", 2), ended=(Partition("", "link 2"),))
    shop.load([record("c", 3)])
    assert [dict(window.checkpoints) for window, _ in shop.asked] == [{}, {"": "link 1"}, {"": "link 2"}]
    assert states(shop) == {"": "link 2"}


def test_a_crash_between_the_last_page_and_the_publish_reads_the_same_changes_again(shop, monkeypatch):
    load(shop, record("a", 1), ended=(Partition("", "link 1"),))
    job = shop.job(ending(pages([record("b", 2)]), Partition("", "link 2")), run="scheduled__1")
    steps.land(job)
    steps.gate(job)
    with monkeypatch.context() as broken:
        broken.setattr(audit_and_lineage, "append", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            steps.publish(job)
    assert states(shop) == {"": "link 1"}
    assert set(shop.current()) == {"a"}
    load(shop, record("b", 2), ended=(Partition("", "link 2"),))  # another run: the first is over
    assert shop.asked[-1][0].checkpoints == {"": "link 1"}
    assert states(shop) == {"": "link 2"}
    assert set(shop.current()) == {"a", "b"}
    assert shop.query("select count(*) from landing.partition") == [(0,)]


def test_a_load_that_the_gate_refuses_leaves_the_state_as_it_was(shop):
    load(shop, record("a", 1), ended=(Partition("", "link 1"),))
    with pytest.raises(Rejected):
        load(shop, *(record(str(n), 2, credit=-1) for n in range(20)), ended=(Partition("", "link 2"),))
    assert states(shop) == {"": "link 1"}


def test_a_window_that_a_run_names_goes_on_from_nothing(shop):
    load(shop, record("a", 1), ended=(Partition("", "link 1"),))
    shop.load([record("a", 1)], window=(0, 9))
    assert shop.asked[-1][0].checkpoints == {}


def test_a_part_that_hands_over_no_state_is_forgotten(shop):
    load(shop, record("a", 1), ended=(Partition("anna", "link a"), Partition("jan", "link j")))
    load(shop, record("a", 1), ended=(Partition("anna"),))
    assert states(shop) == {"jan": "link j"}


def test_what_is_listed_whole_and_lacks_a_record_deletes_it_once(shop):
    load(shop, record("a", 1), record("b", 1), ended=(Partition("", None, now()),))
    second = load(shop, record("a", 1), ended=(Partition("", None, now() - timedelta(seconds=1)),))
    assert (second.rows_deleted, second.rows_changed) == (1, 0)
    assert set(shop.current()) == {"a"}
    assert shop.versions()[-1][1]["name"] == "Name b"  # with what was seen of it last
    assert load(shop, record("a", 1), ended=(Partition("", None, now() - timedelta(seconds=1)),)).rows_deleted == 0
    back = load(shop, record("a", 1), record("b", 1), ended=(Partition("", None, now() - timedelta(seconds=1)),))
    assert (back.rows_new + back.rows_changed, set(shop.current())) == (1, {"a", "b"})


def test_changes_alone_delete_nothing(shop):
    load(shop, record("a", 1), record("b", 1), ended=(Partition("", "link"),))
    assert load(shop, record("a", 2), ended=(Partition("", "link"),)).rows_deleted == 0


def test_only_the_part_that_was_listed_whole_is_swept(shop):
    by_user(shop)
    anna, jan = [of("anna", "1"), of("anna", "2")], [of("jan", "3"), of("jan", "4")]
    load(shop, *anna, *jan, ended=(Partition("anna", "a"), Partition("jan", "j")))
    second = load(shop, anna[0], ended=(Partition("anna", "a", now() - timedelta(seconds=1)), Partition("jan", "j")))
    assert second.rows_deleted == 1
    assert set(shop.current()) == {'["anna","1"]', '["jan","3"]', '["jan","4"]'}


def test_a_page_from_before_the_listing_began_keeps_nothing_alive(shop):
    load(shop, record("a", 1), record("b", 1), ended=(Partition("", None, now()),))
    began = now()
    old = pages([record("a", 1), record("b", 1)], observed=began - timedelta(minutes=1))
    new = ending(pages([record("a", 1)], observed=began), Partition("", None, began))
    assert shop.run(shop.job([*new, *old])).rows_deleted == 1
    assert set(shop.current()) == {"a"}


def test_nothing_is_swept_while_a_record_cannot_be_told(shop):
    load(shop, record("a", 1), record("b", 1), ended=(Partition("", None, now()),))
    nameless = Record(None, at(2), False, b'{"name": "whose key is missing"}')
    second = load(shop, record("a", 1), nameless, ended=(Partition("", None, now() - timedelta(seconds=1)),))
    assert (second.rows_deleted, second.rows_quarantined) == (0, 1)
    assert set(shop.current()) == {"a", "b"}
