"""Answers of the registers and of HR, through their gates and the real dbt: what is lawful is published as meant."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sandbox.world import identifiers
from tests.conform.published import Published
from tests.conform.registers import ANSWERS
from tests.conform.test_marts import mart


def test_what_the_registers_and_hr_say_of_lawful_records_is_published(published: Published) -> None:
    conformed = published.connection
    waiting = "select system, stream, reason from ops.quarantine where system || '.' || stream = any (%s)"
    assert conformed.execute(waiting, [list(ANSWERS)]).fetchall() == []
    query = (
        "select tax_id_pl, status, tax_id_status, eu_vat is not null, share_capital, regon, legal_name like 'Sklep%'"
        " from conformed.company"
    )
    found = {nip: said for nip, *said in conformed.execute(query).fetchall()}
    five = Decimal(5000)
    assert found == {
        identifiers.nip(1): ["active", None, True, five, identifiers.regon(1), False],
        identifiers.nip(2): ["liquidation", "withdrawn", False, five, identifiers.regon(2), False],
        identifiers.nip(3): ["active", None, True, Decimal(83000303), identifiers.regon(3), False],
        identifiers.nip(4): ["active", None, True, None, identifiers.regon(4), False],
        identifiers.nip(5): ["struck_off", None, True, five, identifiers.regon(5), False],
        identifiers.nip(6): ["active", None, True, None, identifiers.regon(6), True],
    }
    owners = (
        "select last_name, group_name, ownership_reasons, born_on from conformed.beneficial_owner order by owner_key"
    )
    assert conformed.execute(owners).fetchall() == [
        ("Wymyślona", None, "senior_manager", date(1970, 5, 5)),
        (None, "potomkowie fundatora", None, None),
    ]
    columns = "krs, registry_status, share_capital, owners_by_office"
    profiles = conformed.execute(f"select {columns} from ({mart('kyc_profile')}) as p").fetchall()  # noqa: S608 - our own
    assert (identifiers.krs(1), "active", five, 1) in profiles
    history = f"select valid_from, department from ({mart('employee_history')}) as h order by 1"  # noqa: S608 - our own
    assert conformed.execute(history).fetchall() == [(date(2020, 1, 1), "Zakupy"), (date(2023, 3, 1), "IT")]
