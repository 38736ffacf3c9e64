"""A source that is asked one value at a time: a good answer is kept for a day, unless a feed says that it changed."""

from __future__ import annotations

from tests.acceptance.bench import Bench
from tests.acceptance.streams import LOOKUPS, Listed, each_thing, look_up


@each_thing(look_up, LOOKUPS)
def test_a_fresh_answer_is_not_asked_for_again_within_its_time(loaded: Bench, listed: Listed):
    loaded.fault(listed, kind="delay", seconds=0, times=-1)  # counts the requests for records
    assert loaded.load(listed).rows_read == 0
    loaded.let_answers_age(listed, hours=23)
    assert loaded.load(listed).rows_read == 0
    assert loaded.hits() == 0
    loaded.let_answers_age(listed, hours=2)
    assert loaded.load(listed).rows_read > 20
    assert loaded.hits() > 0


@each_thing(look_up, LOOKUPS)
def test_a_company_that_the_change_feed_names_is_asked_about_again(loaded: Bench, listed: Listed):
    feed = listed.stream.lookup.feed
    happened = loaded.sandbox.control("advance", changes=60)
    assert happened["changed"][listed.name] > 20
    load = loaded.load(listed)
    asked = loaded.query("select count(*) from ops.lookup_cache where load_id = %s", load.load_id)[0][0]
    if feed:
        assert 0 < load.rows_changed <= load.rows_read == asked < 20
    else:  # without a feed nobody tells: it waits for its time
        assert asked == load.rows_read == 0
