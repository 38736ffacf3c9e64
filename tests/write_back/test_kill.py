"""Lost answers, late commits and kills at any moment: every record is in the target once."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import replace

from psycopg.conninfo import conninfo_to_dict

from onefold.connectors.outbound.contract import Outbound
from onefold.errors import Retriable
from onefold.write_back.outbox import next_due
from onefold.write_back.place import place_of
from onefold.write_back.resolve import longest_wait
from onefold.write_back.run import WriteBack
from tests.conform.world import record
from tests.doomed import Doomed, wait_until_its_sessions_are_gone
from tests.effort import TORTURE
from tests.kills import count_kill
from tests.write_back.lossy_wire import LossyWire
from tests.write_back.naive_target import LATE, NaiveTarget
from tests.write_back.world import Outward, a_run, system, target

KILLS = 100 if TORTURE else 3
CREATES = 1000 if TORTURE else 30
LOST = 0.15
SEED = 20261130


def _run(back: WriteBack) -> None:
    run = a_run()
    plan = back.plan(run)
    if plan is not None:
        back.execute(plan.plan_id, run)


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
    chance, hits, made, seconds = random.Random(SEED), 0, 0, 1.0
    while hits < KILLS or made < CREATES:
        few = min(CREATES // KILLS, CREATES - made)
        if few:
            outward.conform(
                *(record("crm", f"c{made + at}", tax_id_pl=f"{made + at:010}", legal_name="N") for at in range(few))
            )
            made += few
        began = time.monotonic()
        hit = Doomed(lambda: _run(back)).kill_after(chance.uniform(0, 1.5 * seconds))
        if hit:
            hits += 1
            count_kill("write-back", "process")
            wait_until_its_sessions_are_gone(outward.world.url, outward.world.connection)
        else:
            seconds = time.monotonic() - began
    _finish(outward, back)
    counted = Counter(row["onefold_ref"] for row in outward.table())
    assert len(counted) == CREATES, f"{CREATES - len(counted)} missing"
    assert set(counted.values()) == {1}, f"{sum(counted.values()) - len(counted)} doubles"
    assert outward.states() == {"confirmed": CREATES}
    assert wire.losses > wire.commits * LOST / 3, "the wire must have lost answers"
    wire.close()


def _finish(outward: Outward, back: WriteBack) -> None:
    """Go on, as the schedule does, until nothing is open any more."""
    wait = longest_wait(outward.target, back.system)
    while set(outward.states()) != {"confirmed"}:
        due = next_due(outward.world.connection, "erp", wait)
        if due is not None:
            (seconds,) = outward.world.connection.execute(
                "select extract(epoch from %s - clock_timestamp())", (due,)
            ).fetchone()
            time.sleep(max(0.0, float(seconds)))
        try:
            _run(back)
        except Retriable:
            continue  # the wire has cut the search off; the schedule asks again
