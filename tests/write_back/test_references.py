"""Our reference in a target's record: short enough for every target, the same for ever, and never lost."""

from __future__ import annotations

import re

from onefold.warehouse.migration_files import FOLDER
from onefold.write_back import outbox
from tests.conform.world import record
from tests.write_back.world import Outward


def _conform(outward: Outward, *keys: str, name: str = "Firm") -> None:
    outward.conform(*(record("crm", key, tax_id_pl=f"{int(key[1:]):010}", legal_name=name) for key in keys))


def _as_before_short_references(outward: Outward) -> None:
    outward.world.connection.execute("update ops.outbox set reference = golden_id::text")
    outward.world.connection.commit()


def _migrate(outward: Outward) -> None:
    outward.world.connection.execute((FOLDER / "0720_short_references.sql").read_text())
    outward.world.connection.commit()


def test_a_reference_fits_the_shortest_field_and_is_the_same_in_every_version(outward: Outward) -> None:
    _conform(outward, "c1", "c2")
    outward.run()
    first = {row["nip"]: row["onefold_ref"] for row in outward.table()}
    assert all(re.fullmatch("[BCDFGHJKLMNPQRST]{20}", reference) for reference in first.values())
    assert len(set(first.values())) == 2
    _conform(outward, "c1", "c2", name="Renamed")
    outward.run()
    assert {row["nip"]: (row["onefold_ref"], row["nazwa"]) for row in outward.table()} == {
        nip: (reference, "Renamed") for nip, reference in first.items()
    }


def test_a_record_that_has_our_long_reference_of_before_keeps_it_and_is_found_and_not_made_again(
    outward: Outward,
) -> None:
    _conform(outward, "c1")
    _as_before_short_references(outward)
    outward.run()
    _conform(outward, "c2")
    _as_before_short_references(outward)
    lost = outward.plan()  # c2's answer is lost, after the target has written it
    (row,) = outward.rows(lost)
    with outward.world.connection.transaction():
        outbox.mark_sent(outward.world.connection, row.intent_id, "create", None, row.after)
        outbox.leave_ambiguous(outward.world.connection, row.intent_id, "no answer")
    outward.sql(
        "insert into klienci (nazwa, nip, waluta, onefold_ref) values ('Firm', '0000000002', 'PLN', %s)",
        str(row.golden_id),
    )
    _conform(outward, "c3")
    _as_before_short_references(outward)
    _migrate(outward)
    _conform(outward, "c1", "c2", "c3", name="Renamed")
    outward.world.connection.execute("update ops.outbox set unknown_since = now() - interval '1 hour'")
    outward.world.connection.commit()
    for _ in range(2):
        outward.run()
    assert [(row["nip"], row["nazwa"], len(row["onefold_ref"])) for row in outward.table()] == [
        ("0000000001", "Renamed", 36),
        ("0000000002", "Renamed", 36),
        ("0000000003", "Renamed", 20),
    ]


def test_of_two_golden_records_whose_references_are_the_same_none_overwrites_the_other(outward: Outward) -> None:
    _conform(outward, "c1")
    outward.run()
    outward.conform(*outward.sync())
    _conform(outward, "c2", name="Another")
    outward.world.connection.execute(
        "update ops.outbox set reference = (select min(reference) from ops.outbox where state = 'confirmed')"
    )
    outward.world.connection.commit()
    outward.run()
    assert [row["nazwa"] for row in outward.table()] == ["Firm"]
    assert "another golden record's" in outward.reasons()[0]
