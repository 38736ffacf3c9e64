"""What changes of golden records is written into another system, once, surely, and no more than was planned."""

from __future__ import annotations

from onefold.audit import entries_from_database, verify
from tests.conform.world import record
from tests.write_back.world import Outward


def test_a_customer_made_in_the_crm_appears_in_the_erp_and_is_confirmed(outward: Outward) -> None:
    outward.conform(record("crm", "c1", tax_id_pl="5272889007", legal_name="Januszex Sp. z o.o.", email="a@b.pl"))
    assert outward.states() == {"intended": 1}
    done = outward.run()
    assert done is not None
    assert done.outcomes == {"confirmed": 1}
    (row,) = outward.table()
    assert (row["nazwa"], row["nip"], row["email"], row["waluta"]) == (
        "Januszex Sp. z o.o.",
        "5272889007",
        "a@b.pl",
        "PLN",
    )
    assert row["onefold_ref"] == outward.reference(outward.world.id_of("c1"))
    assert outward.states() == {"confirmed": 1}
    assert verify(entries_from_database(outward.world.connection)).ok


def test_the_echo_of_what_was_written_joins_the_golden_record_and_writes_nothing(outward: Outward) -> None:
    outward.conform(record("crm", "c1", tax_id_pl="5272889007", legal_name="Januszex Sp. z o.o."))
    outward.run()
    outward.conform(*outward.sync())
    (row,) = outward.table()
    assert outward.world.id_of(str(row["id_klienta"])) == outward.world.id_of("c1")
    assert outward.states() == {"confirmed": 1}
    assert outward.run() is None
    assert outward.table() == [row]


def test_a_change_updates_the_record_that_was_written_before_its_echo_has_come(outward: Outward) -> None:
    outward.conform(record("crm", "c1", tax_id_pl="5272889007", legal_name="Old Sp. z o.o."))
    outward.run()
    outward.conform(record("crm", "c1", tax_id_pl="5272889007", legal_name="New Sp. z o.o."))
    outward.run()
    assert [row["nazwa"] for row in outward.table()] == ["New Sp. z o.o."]
    assert outward.states() == {"confirmed": 2}
