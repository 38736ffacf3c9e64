"""One wrong value costs its attribute: the record is published without it, and the value stands in quarantine."""

from __future__ import annotations

import msgspec
import pytest

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.errors import Rejected
from onefold.load.withheld_rates import WithheldRate, withheld_rates
from onefold.reconcile.withheld_alert import check_withheld
from onefold.replay.ledger import require_replay
from onefold.replay.report import plan_lines, replay_lines
from onefold.replay.selection import Selection, matching_rows
from onefold.warehouse.connection import connect
from tests.load.shop import SHOP, SUITE, record
from tests.replay.replaying import closed, job, opened, run_of
from tests.rollback.test_rollback import rolled_back

_FIELDS = {"phone": {"required": False}, "owner": {"required": False}, "tax": {"required": False}, "memo": "numeric"}
MAPPED_SHOP = System.model_validate(
    SHOP.model_dump(exclude_unset=True)
    | {
        "streams": {
            "customer": SHOP.streams["customer"].model_dump(exclude_unset=True)
            | {"fields": SHOP.streams["customer"].model_dump(exclude_unset=True)["fields"] | _FIELDS}
        }
    }
)


def _attribute(field: str, transform: str = "text", **more: object) -> dict[str, object]:
    return {"meaning": "m", "sources": {"shop.customer": {"field": field, "transform": transform}}, **more}


CLIENT = Entity.model_validate(
    {
        "entity": "client",
        "title": "Clients",
        "version": 3,
        "trust": ["shop"],
        "identity": {"strong": ["client_key", "tax_id_pl"]},
        "attributes": {
            "client_key": _attribute("id"),
            "tax_id_pl": _attribute("tax", "nip"),
            "name": _attribute("name"),
            "phone": _attribute("phone", "phone_e164"),
            "credit": _attribute("credit", "numeric", type="numeric"),
            "owner": _attribute("owner", "email", essential=True),
        },
    }
)
RULES = """
  - {type: expect_column_values_to_not_match_regex, kwargs: {column: name, regex: "^x"}}
  - {type: expect_column_values_to_be_between, kwargs: {column: memo, min_value: 0}}
  - {type: expect_column_values_to_be_unique, kwargs: {column: phone}}
"""


@pytest.fixture
def shop(shop):
    shop.system, shop.entities = MAPPED_SHOP, {"client": CLIENT}
    (shop.suites / "shop__customer.yaml").write_text(SUITE + RULES)
    return shop


def rec(key, minutes=1, **fields):
    return record(key, minutes, **{"memo": 1, **fields})


def without(key, *fields, minutes=1, **more):
    full = rec(key, minutes, **more)
    content = {name: value for name, value in msgspec.json.decode(full.payload).items() if name not in fields}
    return type(full)(full.key, full.cursor, False, msgspec.json.encode(content))


def withheld(shop, state="open"):
    rows = shop.query(
        "select state, _key, attribute, reason, value_kind, allowed from ops.quarantine"
        " where attribute is not null order by 2, 3"
    )
    return [row[1:] for row in rows if row[0] == state]


def waiting(shop):
    return shop.query("select _key, reason from ops.quarantine where attribute is null and state = 'open' order by 1")


def test_a_value_nobody_understands_or_that_breaks_its_rule_is_withheld_and_its_record_published(shop):
    load = shop.load(
        [
            rec("phone", phone="+48 22 12 or later"),
            rec("rule", credit=-1),
            rec("type", credit="a lot"),
            rec("object", name={"first": "Jan"}),
            rec("null", name=None),
            rec("regex", name="x-Jan"),
            without("missing", "name"),
            *(rec(f"good{n}", phone=f"+4822123450{n}") for n in range(9)),
        ]
    )
    assert (load.rows_new, load.rows_quarantined, load.values_withheld) == (16, 0, 7)
    assert set(shop.current()) == {"phone", "rule", "type", "object", "null", "regex", "missing"} | {
        f"good{n}" for n in range(9)
    }
    assert shop.current()["phone"]["phone"] == "+48 22 12 or later"
    found = {key: (attribute, reason, kind) for key, attribute, reason, kind, _ in withheld(shop)}
    assert found == {
        "phone": ("client.phone", "client.phone<-phone (phone_e164)", "text like +99 99 99 aa aaaaa"),
        "rule": ("client.credit", "credit: to be between", "number"),
        "type": (
            "client.credit",
            "client.credit<-credit (numeric); credit cannot be read as numeric",
            "text like a aaa",
        ),
        "object": ("client.name", "name is not text", "object"),
        "null": ("client.name", "name: to not be null", "null"),
        "regex": ("client.name", "name: to not match regex", "text like a-aaa"),
        "missing": ("client.name", "name is missing; name: to not be null", "missing"),
    }
    allowed = {key: allowed for key, *_, allowed in withheld(shop)}
    assert allowed["rule"] == "to be between, min_value 0"
    assert "E.164" in allowed["phone"]
    assert shop.query("select distinct mapping_versions ->> 'client' from ops.quarantine") == [("3",)]
    assert shop.query("select attribute, count(*) from ops.quarantine where payload is not null group by 1") == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"tax": "1234567890"}, "client.tax_id_pl<-tax (nip)"),
        ({"owner": "nobody"}, "client.owner<-owner (email)"),
        ({"owner": 7}, "client.owner<-owner (email); owner is not text"),
        ({"phone": "+48221234500"}, "phone: to be unique"),
    ],
)
def test_a_wrong_identifier_essential_attribute_or_rule_of_the_whole_table_makes_the_record_wait(shop, fields, reason):
    load = shop.load([rec("bad", **fields), rec("other", phone="+48221234500"), rec("good")])
    assert "bad" not in shop.current()
    assert ("bad", reason) in [(key, "; ".join(sorted(said.split("; ")))) for key, said in waiting(shop)]
    assert (load.rows_quarantined, load.values_withheld) == (len(waiting(shop)), 0)


def test_a_field_that_no_mapping_reads_refuses_neither_its_record_nor_its_load(shop):
    load = shop.load([without("a", "memo"), without("b", "memo"), rec("c", memo=-1), rec("d", memo="much")])
    assert (load.rows_new, load.rows_quarantined, load.values_withheld) == (4, 0, 4)
    assert [(key, attribute, reason) for key, attribute, reason, *_ in withheld(shop)] == [
        ("a", "memo", "memo is missing"),
        ("b", "memo", "memo is missing"),
        ("c", "memo", "memo: to be between"),
        ("d", "memo", "memo cannot be read as numeric"),
    ]


def test_a_new_version_closes_what_was_withheld_from_the_one_before(shop):
    shop.load([rec("a", credit=-1), rec("b", credit=-1), rec("c", credit=-1)])
    load = shop.load([rec("a", 2), rec("b", 2, credit=-2), rec("c", 2, tax="1")])
    assert [key for key, *_ in withheld(shop)] == ["b", "c"]
    assert [key for key, *_ in withheld(shop, "superseded")] == ["a", "b"]
    assert load.values_withheld == 1
    assert shop.load([rec("c", 3, deleted=True)]).rows_deleted == 1
    assert [key for key, *_ in withheld(shop)] == ["b"]


def test_however_many_values_are_withheld_the_load_is_published(shop):
    load = shop.load([rec(f"bad{n}", credit=-1) for n in range(30)] + [rec(f"good{n}") for n in range(30)])
    assert (load.state, load.values_withheld) == ("published", 30)


def test_the_rate_of_each_attribute_is_told_and_a_large_one_alerts(shop):
    stream = shop.system.streams["customer"]
    shop.load([rec(f"bad{n}", credit=-1) for n in range(12)] + [rec(f"good{n}") for n in range(12)])
    with connect(shop.url, autocommit=True) as connection:
        assert withheld_rates(connection) == [WithheldRate("shop", "customer", "client.credit", 12, 24)]
        assert not check_withheld(connection, "os:tester", "shop", "customer", stream)
    shop.load([rec(f"bad{n}", 2) for n in range(10)])
    with connect(shop.url, autocommit=True) as connection:
        assert [each.rate for each in withheld_rates(connection)] == [2 / 24]
        assert check_withheld(connection, "os:tester", "shop", "customer", stream)
    assert shop.query("select kind, subject, resolved_at is null from ops.alert") == [
        ("withheld", "shop.customer", False)
    ]


def test_a_replay_closes_what_is_right_now_and_its_rollback_opens_it_again(shop):
    shop.load([rec("a", credit=-1, phone="none"), rec("b", credit=-2)])
    with connect(shop.url) as connection:
        plan = plan_lines(matching_rows(connection, Selection(), {"shop": shop.system}))
        (phone,) = matching_rows(connection, Selection(expectation="Client.Phone"), {"shop": shop.system})
        credit = matching_rows(connection, Selection(expectation="client.credit"), {"shop": shop.system})
    assert (phone.rows, phone.attribute, sum(each.rows for each in credit)) == (1, "client.phone", 2)
    assert "client.credit" in plan[0]
    assert plan[1] == "3 rows would be replayed; 3 of them are withheld values of published records."
    (shop.suites / "shop__customer.yaml").write_text((SUITE + RULES).replace("min_value: 0", "min_value: -1"))
    run = run_of()
    load = shop.run(job(shop, run, opened(shop, run), entities=shop.entities))
    assert closed(shop, run) == (3, 1, 0, 2)
    with connect(shop.url) as connection:
        account = require_replay(connection, run)
    assert account.as_json()["withheld"] == 3 and account.as_json()["withheld_again"] == 2
    assert "; 3 of them are withheld values of published records: 2 again." in replay_lines(account)[-1]
    assert shop.query("select payload ->> 'values_withheld' from audit.event where action = 'replay.close'") == [("3",)]
    assert [(key, attribute) for key, attribute, *_ in withheld(shop)] == [
        ("a", "client.phone"),
        ("b", "client.credit"),
    ]
    assert shop.current()["a"]["phone"] == "none"
    rollback_id = rolled_back(shop, load.load_id)
    assert [(key, attribute) for key, attribute, *_ in withheld(shop)] == [
        ("a", "client.credit"),
        ("a", "client.phone"),
        ("b", "client.credit"),
    ]
    rolled_back(shop, undo=rollback_id)
    assert len(withheld(shop)) == 2


def test_an_essential_field_that_changes_in_all_records_still_rejects_the_load(shop):
    with pytest.raises(Rejected, match="field changed was timestamp and is now absent"):
        shop.load([without("a", "changed"), without("b", "changed")])


def test_a_required_field_is_renamed_where_all_records_lack_it_and_have_another_however_few_they_are(shop):
    shop.load([rec("a"), rec("b")])
    with pytest.raises(Rejected, match="field name was text and is now absent"):
        shop.load([without("a", "name", minutes=5, nazwa="Name a")])
    assert shop.query("select _payload ->> 'name' from staging.shop__customer order by 1") == [("Name a",), ("Name b",)]


def test_a_new_field_alone_or_a_missing_one_alone_refuses_no_load(shop):
    shop.load([rec("a"), rec("b")])
    shop.load([rec("a", 5, nazwa="Ann")])
    shop.load([without("b", "name", minutes=6)])
    assert shop.query("select count(*) from ops.load where state = 'published'") == [(3,)]
