"""The guarantees of a load that comes to its end."""

from datetime import timedelta

import pytest

from onefold.catalog.fields import fields_fingerprint
from onefold.connectors.window import BEGINNING
from onefold.errors import Rejected, Retriable
from onefold.load import steps
from tests.load.shop import MORNING, Shop, at, pages, record


def test_the_same_window_again_writes_nothing(shop):
    first = shop.load([record("a", 1), record("b", 2)])
    before = shop.query("select * from staging.shop__customer order by _key")
    again = shop.load([record("a", 1), record("b", 2)])
    assert (first.rows_new, first.rows_changed) == (2, 0)
    assert (again.rows_read, again.rows_new, again.rows_changed, again.rows_deleted) == (2, 0, 0, 0)
    assert shop.query("select * from staging.shop__customer order by _key") == before


def test_a_load_keeps_by_which_fields_it_was_judged_whatever_their_classes_are(shop):
    fields = shop.system.streams[shop.stream].fields
    assert shop.load([record("a", 1)]).fields_fingerprint == fields_fingerprint(fields)
    name = fields["name"]
    edits = [{"type": "integer"}, {"required": not name.required}, {"path": "$.name"}]
    others = [fields | {"name": name.model_copy(update=edit)} for edit in edits]
    others += [{**fields, "more": name}, {key: each for key, each in fields.items() if key != "name"}]
    assert len({fields_fingerprint(each) for each in (fields, *others)}) == 6
    classed = fields | {"name": name.model_copy(update={"personal": "sensitive"})}
    assert fields_fingerprint(dict(reversed(classed.items()))) == fields_fingerprint(fields)


def test_overlapping_windows_give_the_union(shop):
    shop.load([record("a", 1), record("b", 5)], window=(0, 6))
    shop.load([record("b", 5), record("c", 9)], window=(4, 10))
    assert [row[0] for row in shop.versions()] == ["a", "b", "c"]


def test_pages_in_any_order_and_twice_give_the_same_staging(shop):
    old, new, other = record("a", 1, name="Old"), record("a", 3, name="New"), record("b", 2)
    shop.load([new], [other], [old], [other, new])
    assert shop.current()["a"]["name"] == "New"
    assert len(shop.versions()) == 2


def test_a_late_arrival_never_overwrites_a_newer_version(shop):
    shop.load([record("a", 10, name="New")])
    late = shop.load([record("a", 5, name="Old")])
    assert (late.rows_new, late.rows_changed) == (0, 0)
    assert shop.current()["a"]["name"] == "New"


def test_two_readings_at_the_same_cursor_keep_what_was_read_last(shop):
    shop.load([record("a", 5, name="Before")])
    shop.load([record("a", 5, name="After")])
    assert shop.current()["a"]["name"] == "After"


def test_only_a_record_whose_content_differs_becomes_a_version(shop):
    shop.load([record("a", 1), record("b", 1)])
    second = shop.load([record("a", 2, name="Other"), record("b", 1)])
    assert (second.rows_new, second.rows_changed) == (0, 1)
    assert [(row[0], row[1]["name"]) for row in shop.versions()] == [
        ("a", "Name a"),
        ("a", "Other"),
        ("b", "Name b"),
    ]


def test_the_same_content_with_keys_in_another_order_is_no_new_version(shop):
    from onefold.connectors.record import Record

    shop.load([Record("a", at(1), False, b'{"id":"a","name":"A","credit":1,"changed":"2026-03-01T08:01:00Z"}')])
    again = shop.load(
        [Record("a", at(1), False, b'{"changed":"2026-03-01T08:01:00Z", "credit":1.0,"name":"A","id":"a"}')]
    )
    assert again.rows_changed == 0


def test_a_delete_arrives_as_a_version_of_its_own(shop):
    shop.load([record("a", 1), record("b", 1)])
    load = shop.load([record("a", 2, deleted=True)])
    assert load.rows_deleted == 1
    assert set(shop.current()) == {"b"}
    assert len(shop.versions()) == 3


def test_the_cursor_moves_only_with_the_data(shop):
    shop.load([record("a", 5)])
    assert shop.query("select value from ops.cursor") == [(at(5),)]
    with pytest.raises(Retriable):
        shop.run(shop.job([Retriable("shop is down")]))
    assert shop.query("select value from ops.cursor") == [(at(5),)]
    shop.load([record("b", 9)])
    assert shop.query("select value from ops.cursor") == [(at(9),)]


def test_the_next_window_begins_before_the_cursor_and_the_first_at_the_beginning(shop):
    shop.load([record("a", 30)])
    shop.load([record("b", 31)])
    (first, _), (second, _) = shop.asked
    assert first.start == BEGINNING
    assert second.start == MORNING + timedelta(minutes=30) - timedelta(minutes=10)


def test_a_backfill_of_the_past_does_not_move_the_cursor_back(shop):
    shop.load([record("a", 60)])
    shop.load([record("b", 5)], window=(0, 10))
    assert shop.query("select value from ops.cursor") == [(at(60),)]
    assert set(shop.current()) == {"a", "b"}


def test_one_transaction_publishes_rows_cursor_verdict_lineage_and_audit(shop, monkeypatch):
    from onefold.load import audit_and_lineage

    shop.load([record("a", 1)])

    def state():
        return [
            shop.query(text)
            for text in (
                "select _key, _load_id from staging.shop__customer order by 1, 2",
                "select value, load_id from ops.cursor",
                "select load_id, verdict from ops.load where state = 'published' order by 1",
                "select count(*) from audit.event where action = 'load.publish'",
                "select count(*) from lineage.event where event_type = 'COMPLETE'",
                "select count(*) from lineage.dataset_edge",
                "select count(*) from ops.quarantine",
            )
        ]

    before = state()
    job = shop.job(pages([record("a", 2, name="New"), record("bad", 2, credit=-1)]))
    steps.land(job)
    steps.gate(job)
    append = audit_and_lineage.append
    monkeypatch.setattr(audit_and_lineage, "append", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        steps.publish(job)
    assert state() == before
    monkeypatch.setattr(audit_and_lineage, "append", append)
    steps.publish(job)
    after = state()
    assert all(new != old for new, old in zip(after, before, strict=True))


def test_a_refused_load_leaves_staging_and_cursor_untouched(shop):
    shop.load([record("a", 1)])
    before = (shop.versions(), shop.query("select value, load_id from ops.cursor"))
    with pytest.raises(Rejected, match=r"40 of 40 rows failed"):
        shop.load([record(f"bad{n}", 2, credit=-1) for n in range(40)])
    assert (shop.versions(), shop.query("select value, load_id from ops.cursor")) == before
    assert shop.last().state == "rejected"
    assert shop.query("select count(*) from landing.resume_token") == [(0,)]


def test_loading_the_same_stream_twice_at_once_is_refused_clearly(shop):
    from onefold.load import ledger
    from onefold.warehouse.connection import connect

    with connect(shop.url, autocommit=True) as other:
        ledger.lock_stream(other, "shop", "customer")
        with pytest.raises(Retriable, match=r"shop\.customer is being loaded"):
            shop.load([record("a", 1)])


def test_a_load_between_two_tasks_of_a_living_run_is_not_taken_over(shop):
    steps.land(shop.job(pages([record("a", 1)]), run="first"))
    with pytest.raises(Retriable, match="run first"):
        shop.load([record("b", 1)], run_is_over=lambda dag_id, run_id: False)
    shop.load([record("b", 1)], run_is_over=lambda dag_id, run_id: True)
    assert shop.query("select run_id, state, error from ops.load order by load_id")[0] == (
        "first",
        "rejected",
        "abandoned: run first ended before the load was published",
    )
    assert set(shop.current()) == {"b"}


def test_the_audit_holds_a_salted_commitment_to_what_was_published(shop, warehouse_factory, tmp_path, monkeypatch):
    def committed(salt, *groups):
        monkeypatch.setenv("ONEFOLD_AUDIT_SALT", salt)
        with warehouse_factory() as url:
            monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / url.rpartition("/")[2]))
            other = Shop(url, shop.suites)
            other.load(*groups)
            return other.query("select payload ->> 'content_commitment' from audit.event where action = 'load.publish'")

    one, two = record("a", 1), record("b", 2)
    together = committed("s" * 16, [one, two])
    assert len(together[0][0]) == 64
    assert committed("s" * 16, [two], [one]) == together
    assert committed("t" * 16, [one, two]) != together
    assert committed("s" * 16, [one, record("b", 2, name="Other")]) != together
