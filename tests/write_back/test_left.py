"""A golden record that no longer meets `where`: its record at the target stays and is named, or goes as declared."""

from __future__ import annotations

import pytest

from onefold.write_back.status import target_status
from tests.approvals import answer
from tests.conform.world import record
from tests.write_back.world import Outward, target

DELETE = ["create", "update", "delete"]


def _conform(outward: Outward, currency: str, name: str = "Firm") -> None:
    outward.conform(record("crm", "c0", tax_id_pl="0000000000", legal_name=name, currency=currency))


def _written(outward: Outward, **changes: object) -> None:
    outward.target = target(**{"objects.partner.where": {"currency": ["PLN"]}}, **changes)
    _conform(outward, "PLN")
    outward.run()
    assert len(outward.table()) == 1


def test_a_golden_record_that_no_longer_meets_where_is_named_and_its_record_stays_and_goes_on_when_it_meets_it_again(
    outward: Outward,
) -> None:
    _written(outward)
    _conform(outward, "EUR", "Renamed")
    (row,) = outward.rows(outward.plan())
    assert (row.change, row.reason) == (
        "leave",
        "the golden record no longer meets `where`: its record there stays as it is",
    )
    outward.run()
    assert [each["nazwa"] for each in outward.table()] == ["Firm"]
    assert target_status(outward.world.connection, "erp").left == 1
    _conform(outward, "EUR", "Renamed again")
    assert outward.plan() is None, "it is said once"
    _conform(outward, "PLN", "Back")
    outward.run()
    assert [each["nazwa"] for each in outward.table()] == ["Back"]
    assert target_status(outward.world.connection, "erp").left == 0


def test_what_was_intended_of_a_golden_record_that_no_longer_meets_where_is_not_written(outward: Outward) -> None:
    outward.target = target(**{"objects.partner.where": {"currency": ["PLN"]}})
    _conform(outward, "PLN")
    _conform(outward, "EUR")
    outward.run()
    assert outward.table() == []
    assert set(outward.states()) == {"superseded", "confirmed"}


def test_a_record_that_we_have_made_is_deleted_where_that_is_declared_and_made_again_when_it_meets_where_again(
    outward: Outward,
) -> None:
    _written(outward, **{"objects.partner.may": DELETE, "objects.partner.left": "delete"})
    outward.conform(*outward.sync())
    _conform(outward, "EUR")
    outward.run()
    assert outward.table() == []
    _conform(outward, "PLN", "Back")
    outward.run()
    assert [each["nazwa"] for each in outward.table()] == ["Back"]
    assert outward.reasons() == []


def test_ask_deletes_it_once_a_person_has_approved_although_the_target_wants_no_approval(outward: Outward) -> None:
    _written(outward, **{"objects.partner.may": DELETE, "objects.partner.left": "ask"})
    _conform(outward, "EUR")
    plan = outward.plan()
    assert (plan.needs_approval, plan.counts["delete"]) == (True, 1)
    outward.run()
    assert len(outward.table()) == 1
    answer(outward.world.url, plan.subject, "ewa", approved=True)
    outward.run()
    assert outward.table() == []


def test_a_record_that_somebody_else_has_made_there_is_never_deleted(outward: Outward) -> None:
    outward.target = target(
        **{
            "objects.partner.where": {"currency": ["PLN"]},
            "objects.partner.may": DELETE,
            "objects.partner.left": "delete",
        }
    )
    outward.sql("insert into klienci (nazwa, nip) values ('Theirs', '0000000000')")
    _conform(outward, "PLN")
    outward.run()
    assert [each["nazwa"] for each in outward.table()] == ["Firm"], "it was taken on"
    _conform(outward, "EUR")
    outward.run()
    assert len(outward.table()) == 1
    assert target_status(outward.world.connection, "erp").left == 1


def test_left_needs_the_permission_to_delete() -> None:
    with pytest.raises(ValueError, match=r"left: delete needs the permission: may: \[create, update, delete\]"):
        target(**{"objects.partner.left": "delete"})
