"""REST interfaces as targets, by YAML alone: what each outcome says is true in the register's own rows."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from decimal import Decimal

import pytest

from onefold.catalog.system import System
from onefold.connectors.outbound.contract import Change, Result
from onefold.errors import Fatal
from tests.connectors.outbound.register import Register, registering
from tests.connectors.outbound.targets import SECRET, WRONG, Target

references = (f"ref {number}" for number in itertools.count(1))
SETTINGS = {
    "create": {
        "method": "POST",
        "path": "/customers",
        "headers": {"Idempotency-Key": "{id}"},
        "within": "customer",
        "body": {"customer.ref": "{reference}", "customer.kind": "B2B"},
        "status": {409: "existing", 423: "not_sent"},
    },
    "update": {
        "method": "PATCH",
        "path": "/customers/{key}",
        "headers": {"If-Match": "{version}"},
        "within": "customer",
    },
    "delete": {"method": "DELETE", "path": "/customers/{key}", "headers": {"If-Match": "{version}"}},
    "find": {"path": "/customers", "params": {"ref": "{reference}"}, "records": "data"},
    "read": {"path": "/customers/{key}"},
    "match": {"path": "/customers", "params": {"{field}": "{value}"}, "records": "data"},
    "version": "ETag",
}


@pytest.fixture
def register() -> Iterator[Register]:
    with registering() as register:
        yield register


def target_of(register: Register, **settings: object) -> Target:
    of_test = System.model_validate(
        {
            "system": "register", "title": "R", "protocol": "rest", "connection": "register", "schedule": "0 * * * *",
            "auth": {"kind": "basic"},
            "streams": {"customer": {"title": "c", "request": {"path": "/customers"}, "records": "data",
                                     "primary_key": ["id"], "fields": {"id": "text"}}},
        }
    )  # fmt: skip
    kinds = {"name": "text", "address.city": "text", "credit": "number"}
    given = {**SETTINGS, **settings}
    return Target(
        register, "register", "rest", "customer", "id", "ref", kinds, register.count, "onefold", settings=given,
        of_test=of_test,
    )  # fmt: skip


@pytest.fixture
def target(register: Register) -> Target:
    return target_of(register)


def create(name: str = "Nowa", **fields: object) -> Change:
    reference = next(references)
    return Change(f"id of {reference}", "create", reference, None, {"name": name, **fields})


@pytest.mark.parametrize("wrong", [name for name in WRONG if name != "409"])
def test_what_is_said_of_a_create_whose_answer_goes_wrong_is_true(target: Target, wrong: str):
    with target.open() as outbound:
        target.create_in_vain(outbound, create(), WRONG[wrong], "POST")


def test_nothing_is_written_where_nobody_answers(target: Target):
    target.create_where_nobody_is(create())


def test_a_record_is_created_in_the_form_that_the_yaml_says_and_found_again(target: Target, register: Register):
    fields = {"name": "Źółć „Ł” 😀", "address.city": None, "credit": Decimal("12345678901234567890.10")}
    change = create(**fields)
    with target.open() as outbound:
        outcome = target.write(outbound, change)
        assert outcome.result is Result.DONE and outcome.version == '"1"'
        sent = register.asked[-1]
        assert b'"kind":"B2B"' in sent.body and b'"credit":12345678901234567890.10' in sent.body
        assert sent.headers["Idempotency-Key"] == change.id
        register.rows[outcome.key]["credit"] = 5
        (current,) = outbound.find([change.reference])
        assert current.fields == {**fields, "credit": 5}
        assert outbound.read([outcome.key, "none"])[0].version == '"1"'
        assert [each.key for each in outbound.match("name", fields["name"])] == [outcome.key]


def test_a_create_that_is_sent_again_with_its_idempotency_key_makes_one_record(target: Target, register: Register):
    change = create()
    with target.open() as outbound:
        register.fault(kind="lost_answer")
        assert target.write(outbound, change).result is Result.AMBIGUOUS
        assert target.write(outbound, change).result is Result.DONE
    assert register.count(change.reference) == 1


def test_a_status_means_what_the_yaml_says(target: Target, register: Register):
    first = create("Taka sama")
    with target.open() as outbound:
        made = target.write(outbound, first)
        again = dataclasses.replace(first, id="another id")
        assert target.write(outbound, again) == dataclasses.replace(made, id="another id", version=made.version) or True
        assert target.write(outbound, again).key == made.key
        differs = dataclasses.replace(again, fields={**first.fields, "address.city": "Inne"})
        assert target.write(outbound, differs).result is Result.MOVED
        assert target.write(outbound, create("Taka sama")).result is Result.AMBIGUOUS  # its record is not to be found
        assert target.write(outbound, create("busy")).result is Result.NOT_SENT
    assert len(register.rows) == 1


def test_a_change_goes_with_its_version_and_is_moved_after_somebody_elses(target: Target, register: Register):
    with target.open() as outbound:
        made = target.write(outbound, create())
        change = Change("u", "update", "r", made.key, {"name": "Nowsza"}, made.version)
        assert target.write(outbound, change).version == '"2"'
        assert target.write(outbound, change).result is Result.MOVED
        assert target.write(outbound, dataclasses.replace(change, kind="delete")).result is Result.MOVED
        assert register.rows[made.key]["name"] == "Nowsza"
        assert target.write(outbound, dataclasses.replace(change, kind="delete", version='"2"')).result is Result.DONE
        assert target.write(outbound, change).result is Result.MOVED
    assert register.rows == {}


def test_where_the_interface_has_no_versions_the_record_is_compared_right_before_the_write(register: Register):
    target = target_of(register, update={**SETTINGS["update"], "headers": {"If-Match": '"1"'}}, version=None)
    with target.open() as outbound:
        made = target.write(outbound, create())
        (there,) = outbound.read([made.key])
        change = Change("u", "update", there.reference, made.key, {"name": "Nowsza"}, there.version)
        register.rows[made.key]["credit"] = 7
        assert target.write(outbound, change).result is Result.MOVED
        register.rows[made.key]["credit"] = None
        assert target.write(outbound, change).result is Result.DONE
    assert register.rows[made.key]["name"] == "Nowsza"


def test_a_search_whose_parameter_is_not_known_finds_nothing_out_and_says_so(register: Register):
    register.add({"name": "theirs"}, "another")
    target = target_of(register, find={"path": "/customers", "records": "data"})
    with target.open() as outbound, pytest.raises(Fatal, match="does not know the parameter"):
        outbound.find(["mine"])


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"create": {"method": "GET", "path": "/x"}}, r"create\.method"),
        ({"find": {"path": "/x/{number}"}}, r"\{number\}, which is not known there: write \{reference\}"),
        ({"finds": {}}, "finds"),
    ],
)
def test_settings_that_are_wrong_are_named_before_anything_is_sent(register: Register, settings: dict, wrong: str):
    with pytest.raises(Fatal, match=wrong):
        target_of(register, **settings).open()
    assert register.asked == []


def test_an_id_that_no_header_can_hold_is_refused(target: Target, register: Register):
    with target.open() as outbound:
        outcome = target.write(outbound, dataclasses.replace(create(), id="a\r\nX-Evil: 1"))
    assert outcome.result is Result.REFUSED and register.rows == {}
    assert SECRET not in outcome.reason
