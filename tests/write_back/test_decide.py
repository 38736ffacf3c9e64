"""What becomes of one golden record, by the rules of its fields and what the target has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from onefold.catalog.target import TargetObject
from onefold.connectors.outbound.contract import Current, Value
from onefold.write_back.decide import Decision, decide_delete, decide_write
from onefold.write_back.golden import Golden

ID = UUID(int=7)
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def _object(rule: str = "owner", *, may: tuple[str, ...] = ("create", "update"), **field: object) -> TargetObject:
    return TargetObject.model_validate(
        {
            "entity": "partner",
            "object": "klienci",
            "key": "id",
            "reference": "ref",
            "changed": "zmieniono",
            "may": list(may),
            "fields": {"nazwa": {"attribute": "legal_name", "rule": rule, **field}},
            "constants": {"waluta": "PLN"},
        }
    )


def _golden(name: str | None, *keys: str, since: datetime | None = None) -> Golden:
    return Golden(ID, {"legal_name": name}, keys, {"legal_name": since} if since else {})


def _current(name: Value, *, reference: str | None = None, changed: datetime = NOW, key: str = "1") -> Current:
    return Current(key, reference, {"nazwa": name, "zmieniono": changed}, "v1")


def _write(each: TargetObject, golden: Golden, *found: Current) -> Decision:
    return decide_write(each, golden, found, str(ID))


def test_owner_replaces_the_targets_value() -> None:
    done = _write(_object(), _golden("New"), _current("Old"))
    assert (done.effect, done.before, done.after, done.version) == ("update", {"nazwa": "Old"}, {"nazwa": "New"}, "v1")


@pytest.mark.parametrize("empty", [None, ""])
def test_fill_empty_writes_only_where_the_target_has_nothing(empty: str | None) -> None:
    assert _write(_object("fill_empty"), _golden("New"), _current("Old")).effect == "nothing"
    assert _write(_object("fill_empty"), _golden("New"), _current(empty)).after == {"nazwa": "New"}


def test_newest_keeps_whichever_value_changed_last() -> None:
    hour = timedelta(hours=1)
    assert _write(_object("newest"), _golden("New", since=NOW + hour), _current("Old")).effect == "update"
    assert _write(_object("newest"), _golden("New", since=NOW - hour), _current("Old")).effect == "nothing"


def test_ask_leaves_the_decision_to_a_person_but_fills_what_is_empty() -> None:
    assert _write(_object("ask"), _golden("New"), _current("Old")).asks == ("nazwa",)
    assert _write(_object("ask"), _golden("New"), _current(None)).asks == ()


def test_null_never_overwrites_unless_the_field_says_clear() -> None:
    assert _write(_object(), _golden(None), _current("Old")).effect == "nothing"
    assert _write(_object(clear=True), _golden(None), _current("Old")).after == {"nazwa": None}
    assert _write(_object("fill_empty", clear=True), _golden(None), _current("Old")).effect == "nothing"


def test_nothing_is_to_do_where_the_target_has_the_value_in_another_normal_form() -> None:
    assert _write(_object(), _golden("Żółw"), _current("Z\u0307o\u0301łw")).effect == "nothing"


def test_a_create_has_the_constants_and_no_empty_fields() -> None:
    assert _write(_object(), _golden("New")).after == {"nazwa": "New", "waluta": "PLN"}
    assert _write(_object(), _golden(None)).after == {"waluta": "PLN"}


def test_what_is_not_permitted_is_not_done() -> None:
    assert _write(_object(may=("update",)), _golden("New")).effect == "nothing"
    assert _write(_object(may=("create",)), _golden("New"), _current("Old")).effect == "nothing"


def test_a_required_field_without_a_value_refuses_the_create() -> None:
    done = _write(_object(required=True), _golden(None))
    assert (done.effect, done.reason) == ("refuse", "nazwa: required there, and the golden record has none")


def test_several_records_of_one_golden_record_are_refused_with_their_keys() -> None:
    done = _write(_object(), _golden("New"), _current("Old", key="1"), _current("Old", key="2"))
    assert done.effect == "refuse"
    assert "several records of it (1, 2): join them there" in str(done.reason)


def test_a_record_that_has_another_golden_records_reference_is_refused() -> None:
    done = _write(_object(), _golden("New"), _current("Old", reference=str(UUID(int=8))))
    assert (done.effect, "another golden record's reference" in str(done.reason)) == ("refuse", True)


def test_a_record_that_was_deleted_at_the_target_is_not_made_again() -> None:
    done = _write(_object(), _golden("New", "1"))
    assert (done.effect, "no longer has its record 1" in str(done.reason)) == ("refuse", True)


def test_a_value_that_the_target_cannot_hold_refuses_the_record_with_its_field() -> None:
    each = _object(length={"max": 2})
    done = _write(each, _golden("New"))
    assert (done.effect, done.reason) == ("refuse", "nazwa: it has 3 characters, and the target holds 2")


def test_a_delete_takes_only_our_own_record() -> None:
    assert decide_delete([_current("Old", reference=str(ID))], str(ID)).effect == "delete"
    assert decide_delete([_current("Old", reference=str(UUID(int=8)))], str(ID)).effect == "nothing"
    assert decide_delete([], str(ID)).effect == "nothing"
