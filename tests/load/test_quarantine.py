"""What happens to rows that cannot be used: they go to quarantine with their reason, and nowhere else."""

import hashlib

import pytest

from onefold.catalog.fields import SourceField
from onefold.connectors.record import Record
from onefold.connectors.records import Splitter
from onefold.errors import Rejected
from onefold.http.attempt import Response
from tests.load.shop import at, record


def quarantine(shop):
    return shop.query("select _key, reason, state from ops.quarantine order by quarantine_id")


def test_a_bad_row_goes_to_quarantine_with_its_reason_and_nowhere_else(shop):
    load = shop.load([record("good", 1), record("bad", 1, name=None), record("worse", 1, credit="a lot")])
    assert load.rows_quarantined == 2
    assert set(shop.current()) == {"good"}
    assert sorted(quarantine(shop)) == [
        ("bad", "name: to not be null", "open"),
        ("worse", "credit cannot be read as numeric", "open"),
    ]


def test_every_failing_row_is_found_not_just_the_first_two_hundred(shop):
    bad = [record(f"bad{n:04}", 1, credit=-1) for n in range(300)]
    good = [record(f"good{n:04}", 1) for n in range(6000)]
    load = shop.load(good, bad)
    assert (load.rows_new, load.rows_quarantined) == (6000, 300)
    assert shop.query("select count(distinct _key) from ops.quarantine") == [(300,)]


def test_rows_that_stand_for_themselves_never_reject_a_load_unless_there_is_no_other(shop):
    alone = "{type: expect_column_values_to_be_null, kwargs: {column: nick}, counts_for_share: false}"
    suite = shop.suites / "shop__customer.yaml"
    suite.write_text(f"{suite.read_text()}  - {alone}\n")
    unreadable = [record(f"unreadable{n}", 1, nick="not XML") for n in range(30)]
    load = shop.load(unreadable, [record("good", 1)])
    assert (load.rows_new, load.rows_quarantined) == (1, 30)
    wrong = [record(f"wrong{n}", 2, nick="not XML", credit=-1) for n in range(12)]
    with pytest.raises(Rejected, match="12 of 15 rows failed"):
        shop.load(wrong, [record(f"more{n}", 2) for n in range(3)])
    with pytest.raises(Rejected, match="30 of 30 rows failed"):
        shop.load([record(f"later{n}", 3, nick="not XML") for n in range(30)])


def test_a_row_that_waits_in_quarantine_unchanged_is_not_doubled(shop):
    shop.load([record("bad", 1, name=None)])
    again = shop.load([record("bad", 1, name=None)])
    assert again.rows_quarantined == 0
    assert len(quarantine(shop)) == 1


def test_a_fixed_row_supersedes_its_quarantined_version(shop):
    shop.load([record("a", 1, name=None)])
    shop.load([record("a", 2, name="Fixed")])
    assert quarantine(shop) == [("a", "name: to not be null", "superseded")]
    assert shop.current()["a"]["name"] == "Fixed"


def test_a_deletion_that_repeats_the_refused_content_is_published_and_closes_the_refused_row(shop):
    shop.load([record("a", 1, name="Good")])
    shop.load([record("a", 2, credit=-1)])
    assert shop.load([record("a", 2, credit=-1, deleted=True)]).rows_deleted == 1
    assert shop.current() == {}
    assert [state for *_, state in quarantine(shop)] == ["superseded"]


def test_a_bad_new_version_leaves_the_last_good_one_in_place(shop):
    shop.load([record("a", 1, name="Good")])
    shop.load([record("a", 2, name=None)])
    assert shop.current()["a"]["name"] == "Good"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"id":"a","name":"\\u0000","credit":1,"changed":"x"}', "not storable JSON: unsupported Unicode"),
        (b'{"id":"a","name":"\xff","credit":1,"changed":"x"}', "not valid UTF-8"),
    ],
)
def test_a_record_that_the_warehouse_cannot_hold_is_kept_as_text(shop, payload, reason):
    load = shop.load([Record("a", at(1), False, payload), record("good", 1)])
    assert (load.rows_new, load.rows_quarantined) == (1, 1)
    [(raw, why)] = shop.query("select raw, reason from ops.quarantine")
    assert reason in why
    assert raw.startswith('{"id":"a"')


def test_digits_of_a_page_with_nan_are_kept_in_staging_and_in_quarantine(shop):
    rest = '"name":"N","changed":"2026-03-01T08:01:00Z"'
    good = f'{{"id":"a","credit":1234567890123456.78,"more":[0.10,[{"9" * 30}.5]],{rest}}}'
    bad = [
        f'{{"id":"b{n}","credit":12345678901234567890.10,"more":{more},{rest}}}'
        for n, more in enumerate(("NaN", "[1,[-Infinity]]", r'{"x":"\ud800"}', "[" * 3000 + "]" * 3000))
    ]
    body = f'{{"items":[{",".join([*bad[:2], good, *bad[2:]])}]}}'.encode()
    split = Splitter("shop.customer", shop.system.streams["customer"], ("items",), None)
    assert shop.load(split(Response(200, {}, body)).records).rows_new == 1
    read = "select _payload ->> 'credit', _payload ->> 'more' from staging.shop__customer"
    assert shop.query(read) == [("1234567890123456.78", f"[0.10, [{'9' * 30}.5]]")]
    assert {raw for (raw,) in shop.query("select raw from ops.quarantine")} == set(bad)


def test_a_record_without_its_key_goes_to_quarantine_once(shop):
    for _ in range(2):
        shop.load([record(None, 1), record("good", 1)])
    [(raw, why)] = shop.query("select raw, reason from ops.quarantine")
    assert why == "the primary key (id) is missing"
    assert '"Name None"' in raw


def test_a_record_whose_cursor_cannot_be_read_goes_to_quarantine(shop):
    shop.load([Record("a", None, False, record("a", 1).payload), record("good", 1)])
    assert quarantine(shop) == [("a", "the cursor (changed) cannot be read", "open")]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"credit": {"amount": 1}}, r"field credit was numeric and is now object"),
        ({"name": 7}, r"field name was text and is now number"),
    ],
)
def test_a_retyped_field_rejects_the_load_and_is_named(shop, broken, message):
    with pytest.raises(Rejected, match=message):
        shop.load([record("a", 1, **broken), record("b", 1, **broken)])
    assert shop.query("select field from ops.contract_change") == [(next(iter(broken)),)]
    assert shop.last().state == "rejected"


def test_a_renamed_field_rejects_the_load_and_both_names_are_said(shop):
    renamed = [
        Record(key, at(1), False, f'{{"id":"{key}","full_name":"N","credit":1,"changed":"{at(1)}"}}'.encode())
        for key in ("a", "b")
    ]
    with pytest.raises(
        Rejected, match=r"field name was text and is now absent \(unknown fields there now: full_name\)"
    ):
        shop.load(renamed)


def test_an_optional_field_that_vanishes_everywhere_rejects_the_load(shop):
    def customers(minutes, **more):
        return [record(f"c{n:02}", minutes, **more) for n in range(20)]

    shop.load(customers(1, nick="N"))
    with pytest.raises(Rejected, match=r"field nick was text and is now absent"):
        shop.load(customers(2))


def test_an_optional_field_that_few_records_have_may_be_absent_from_a_load(shop):
    shop.load([record(f"c{n:02}", 1, **({"nick": "N"} if n < 2 else {})) for n in range(20)])
    assert shop.load([record(f"c{n:02}", 2) for n in range(2, 20)]).state == "published"


def test_a_few_records_that_all_lack_an_optional_field_are_loaded(shop):
    shop.load([record(f"c{n:02}", 1, nick="N") for n in range(40)])
    assert shop.load([record(f"new{n}", 2) for n in range(3)]).state == "published"


def test_a_misspelt_expectation_fails_the_gate_instead_of_passing_it(shop):
    from onefold.errors import Fatal

    suite = shop.suites / "shop__customer.yaml"
    suite.write_text(suite.read_text().replace("to_not_be_null", "to_not_be_nul"))
    with pytest.raises(Fatal, match="4 expectations are written and 3 were evaluated"):
        shop.load([record("a", 1)])


@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_a_date_of_zeros_means_none_and_one_that_does_not_exist_goes_to_quarantine(shop, kind):
    customer = shop.system.streams["customer"]
    fields = {**customer.fields, "born": SourceField(type=kind)}
    streams = {"customer": customer.model_copy(update={"fields": fields})}
    shop.system = shop.system.model_copy(update={"streams": streams})
    zeros = ("0000-00-00", "00000000", "0000-00-00 00:00:00", "0000-00-00T00:00:00")
    shop.load([record(f"none{n}", 1, born=zero) for n, zero in enumerate(zeros)], [record("bad", 1, born="0000-13-00")])
    assert set(shop.current()) == {"none0", "none1", "none2", "none3"}
    assert quarantine(shop) == [("bad", f"born cannot be read as {kind}", "open")]


def test_a_field_that_the_source_adds_is_told_and_refuses_nothing(shop, caplog):
    shop.load([record("a", 1, colour="red"), record("b", 1)])
    load = shop.load([record("a", 2, colour="red", vat_group="X"), record("b", 2, vat_group="Y")])
    assert (load.rows_changed, load.rows_quarantined) == (2, 0)
    assert "fields now that it had not before" in caplog.text
    assert "vat_group" in caplog.text
    told = shop.query("select load_id, field, was, is_now, rows from ops.contract_change")
    assert told == [(load.load_id, "vat_group", "absent", "string", 2)]
    shop.load([record("a", 3, colour="red", vat_group="Z")])
    assert len(shop.query("select from ops.contract_change")) == 1


def test_values_in_the_place_of_field_names_are_not_told_and_stop_nobody(shop, caplog):
    """An object whose keys are long texts, or thousands of addresses, at the top level of one record."""
    shop.load([record("a", 1), record("b", 1)])
    long = {"".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(80)): 1}
    many = {f"jan{n}@example.pl": n for n in range(2000)}
    for minute, more in enumerate((long, many), start=2):
        assert shop.load([record("a", minute, **more), record("b", minute, credit=minute)]).rows_changed == 2
    assert shop.query("select from ops.contract_change") == []
    assert "example.pl" not in caplog.text


def test_a_query_of_a_suite_may_have_braces_of_its_own(shop):
    query = "select * from {batch} where name ~ '^x{2}$' or name = any ('{zz}')"
    suite = shop.suites / "shop__customer.yaml"
    expected = f'{{type: unexpected_rows_expectation, kwargs: {{unexpected_rows_query: "{query}"}}}}'
    suite.write_text(f"{suite.read_text()}  - {expected}\n")
    shop.load([record("bad", 1, name="xx"), record("worse", 1, name="zz"), record("good", 1, name="x{2}")])
    assert set(shop.current()) == {"good"}
    assert {key for key, *_ in quarantine(shop)} == {"bad", "worse"}
