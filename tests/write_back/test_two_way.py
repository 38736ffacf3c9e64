"""Two systems that are both read and both written come to rest."""

from __future__ import annotations

from onefold.audit import entries_from_database, verify
from tests.effort import TORTURE
from tests.write_back.world import Outward, publish

RECORDS = 999 if TORTURE else 24
ROUNDS = 2
_ROWS = """
insert into klienci (nazwa, nip, email)
select %s::text || n, lpad(n::text, 10, '0'), case when n %% 3 > 0 then n || %s::text end
from generate_series(%s::int, %s::int) as n
"""


def test_a_two_way_sync_is_quiet_after_two_rounds(outward: Outward, crm: Outward) -> None:
    """A third of the customers is in the ERP alone, a third in the CRM alone; of a third each says something else."""
    erp, third = outward, RECORDS // 3
    crm.sql(_ROWS, "In the CRM ", "@crm.pl", 0, 2 * third - 1)
    erp.sql(_ROWS, "In the ERP ", "@erp.pl", third, RECORDS - 1)
    wrote: list[int] = []
    for _ in range(ROUNDS + 2):
        publish(erp.world, [erp, crm], [*crm.sync(), *erp.sync()])
        before = [*crm.table(), *erp.table()]
        for each in (erp, crm):
            each.run()
        after = [*crm.table(), *erp.table()]
        wrote.append(sum(row not in before for row in after))
    assert wrote[0] >= RECORDS * 2 // 3
    assert wrote[ROUNDS:] == [0, 0], wrote
    assert set(erp.states()) <= {"confirmed", "superseded"}
    for each in (erp, crm):
        assert len(each.table()) == len({row["nip"] for row in each.table()}) == RECORDS
    agreed = [{row["nip"]: (row["nazwa"], row["email"]) for row in each.table()} for each in (erp, crm)]
    assert agreed[0] == agreed[1]
    assert verify(entries_from_database(erp.world.connection)).ok
