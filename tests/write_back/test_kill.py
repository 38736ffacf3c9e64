"""Lost answers, late commits and kills at any moment: every record is in the target once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from psycopg.conninfo import conninfo_to_dict

from onefold.connectors.outbound.contract import Outbound
from onefold.write_back.place import place_of
from tests.effort import TORTURE
from tests.write_back.killed import SEED, write_under_kills
from tests.write_back.lossy_wire import LossyWire
from tests.write_back.naive_target import LATE, NaiveTarget
from tests.write_back.world import Outward, system, target

KILLS = 100 if TORTURE else 3
CREATES = 1000 if TORTURE else 30
LOST = 0.15


def test_creates_whose_answers_get_lost_and_whose_process_is_killed_are_there_once_each(outward: Outward) -> None:
    outward.sql(LATE)
    outward.target = target(**{"limits.timeout": "PT0.5S", "limits.longest_run": "PT1S", "objects.partner.match": {}})
    parts = conninfo_to_dict(outward.target_url)
    wire = LossyWire(int(parts["port"]), LOST, SEED)
    url = outward.target_url.replace(f":{parts['port']}/", f":{wire.port}/")
    its = system("erp")

    def open_object(name: str) -> Outbound:
        return NaiveTarget(place_of(outward.target, its, name), url)

    back = replace(outward.write_back(), open_object=open_object)
    write_under_kills(outward, back, creates=CREATES, kills=KILLS)
    counted = Counter(row["onefold_ref"] for row in outward.table())
    assert len(counted) == CREATES, f"{CREATES - len(counted)} missing"
    assert set(counted.values()) == {1}, f"{sum(counted.values()) - len(counted)} doubles"
    assert outward.states() == {"confirmed": CREATES}
    assert wire.losses > wire.commits * LOST / 3, "the wire must have lost answers"
    wire.close()
