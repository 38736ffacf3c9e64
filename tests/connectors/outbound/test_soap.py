"""SOAP services as targets: what each outcome says is true in the register's own rows."""

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
from tests.connectors.outbound.targets import SECRET, WRONG, Target, wrong_cases

references = (f"ref {number}" for number in itertools.count(1))
SETTINGS = {
    "create": {"operation": "Add", "within": "customer"},
    "update": {"operation": "Change", "within": "customer", "arguments": {"customer.number": "{key}"}},
    "find": {"operation": "FindByReference", "arguments": {"value": "{reference}"}, "records": "customer"},
    "read": {"operation": "FindByNumber", "arguments": {"value": "{key}"}, "records": "customer"},
    "match": {"operation": "FindByName", "arguments": {"value": "{value}"}, "records": "customer", "field": "name"},
}


@pytest.fixture
def register() -> Iterator[Register]:
    with registering() as register:
        yield register


def target_of(register: Register, **settings: object) -> Target:
    of_test = System.model_validate(
        {
            "system": "register", "title": "R", "protocol": "soap", "connection": "register", "schedule": "0 * * * *",
            "auth": {"kind": "basic"}, "wsdl": "/wsdl",
            "streams": {"customer": {"title": "c", "request": {"operation": "FindByName"}, "records": "customer",
                                     "primary_key": ["number"], "fields": {"number": "text"}}},
        }
    )  # fmt: skip
    kinds = {"name": "text", "city": "text", "credit": "number"}
    given = {**SETTINGS, **settings}
    return Target(
        register, "register", "soap", "customer", "number", "reference", kinds, register.count, "onefold",
        settings=given, of_test=of_test,
    )  # fmt: skip


@pytest.fixture
def target(register: Register) -> Target:
    return target_of(register)


def create(name: str = "Nowa", **fields: object) -> Change:
    reference = next(references)
    return Change(f"id of {reference}", "create", reference, None, {"name": name, **fields})


@pytest.mark.parametrize("wrong", wrong_cases(without="400"))
def test_what_is_said_of_a_create_whose_answer_goes_wrong_is_true(target: Target, wrong: str):
    with target.open() as outbound:
        outbound.find(["x"])  # so that the WSDL is there
        target.create_in_vain(outbound, create(), WRONG[wrong], "POST")


def test_nothing_is_written_where_nobody_answers(target: Target):
    target.create_where_nobody_is(create())


def test_a_record_is_created_and_found_by_reference_key_and_value(target: Target):
    change = create("Źółć „Ł” 😀 <&>", city=None, credit=Decimal("1234567890.10"))
    with target.open() as outbound:
        outcome = target.write(outbound, change)
        assert outcome.result is Result.DONE
        (current,) = outbound.find([change.reference])
        assert (current.key, current.fields) == (outcome.key, change.fields)
        assert str(current.fields["credit"]) == "1234567890.10"
        assert outbound.read([outcome.key, "none"]) == outbound.match("name", change.fields["name"]) == [current]


def test_a_fault_that_is_the_senders_is_a_refusal_and_its_words_are_not_repeated(target: Target, register: Register):
    with target.open() as outbound:
        outcome = target.write(outbound, create(SECRET * 10))
    assert (outcome.result, register.rows) == (Result.REFUSED, {})
    assert "Client" in outcome.reason


def test_a_control_character_is_refused_for_xml_has_none(target: Target, register: Register):
    with target.open() as outbound:
        outcome = target.write(outbound, create("a\x0bb"))
    assert (outcome.result, register.rows) == (Result.REFUSED, {})
    assert "name has a control character" in outcome.reason


def test_a_change_is_moved_when_the_record_was_changed_since_it_was_read(target: Target, register: Register):
    with target.open() as outbound:
        made = target.write(outbound, create())
        (there,) = outbound.read([made.key])
        change = Change("u", "update", there.reference, made.key, {"name": "Nowsza"}, there.version)
        assert target.write(outbound, change).result is Result.DONE
        assert target.write(outbound, change).result is Result.MOVED
        assert target.write(outbound, dataclasses.replace(change, kind="delete")).result is Result.REFUSED
        empties = dataclasses.replace(change, fields={"city": None}, version=outbound.read([made.key])[0].version)
        assert target.write(outbound, empties).result is Result.REFUSED
    assert [row["name"] for row in register.rows.values()] == ["Nowsza"]


def test_a_search_that_gives_other_records_says_so(register: Register):
    register.add({"name": "x"}, "another")
    find = {"operation": "FindByName", "arguments": {"value": "x"}, "records": "customer"}
    with target_of(register, find=find).open() as outbound, pytest.raises(Fatal, match="another reference"):
        outbound.find(["mine"])
