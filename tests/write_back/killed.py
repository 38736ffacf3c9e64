"""Write-backs whose process is killed at any moment, and that go on until nothing is open."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from onefold.errors import Retriable
from onefold.write_back.outbox import next_due
from onefold.write_back.resolve import longest_wait
from onefold.write_back.run import WriteBack
from tests.conform.world import record
from tests.doomed import Doomed, wait_until_its_sessions_are_gone
from tests.kills import count_kill
from tests.write_back.world import Outward, a_run

SEED = 20261130


def write_under_kills(
    outward: Outward, back: WriteBack, *, creates: int, kills: int, hinder: Callable[[int], None] = lambda few: None
) -> None:
    """Make so many golden records, a few at a time, and write them with a process that is killed so often; then go on
    until nothing is open. `hinder` is told before each run how many records are new."""
    chance, hits, made, seconds = random.Random(SEED), 0, 0, 1.0
    while hits < kills or made < creates:
        few = min(-(-creates // kills), creates - made)
        if few:
            outward.conform(
                *(
                    record("crm", f"c{at}", tax_id_pl=f"{at:010}", legal_name=f"N {at}")
                    for at in range(made, made + few)
                )
            )
            made += few
        hinder(few)
        began = time.monotonic()
        hit = Doomed(lambda: _run(back)).kill_after(chance.uniform(0, 1.5 * seconds))
        if hit:
            hits += 1
            count_kill("write-back", "process")
            wait_until_its_sessions_are_gone(outward.world.url, outward.world.connection)
        else:
            seconds = time.monotonic() - began
    _finish(outward, back)


def _run(back: WriteBack) -> None:
    run = a_run()
    back.plan(run)
    back.execute_ready(run)


def _finish(outward: Outward, back: WriteBack) -> None:
    """Go on, as the schedule does, until nothing is open any more."""
    wait = longest_wait(back.target, back.system)
    while set(outward.states()) & {"intended", "sent", "ambiguous"}:
        due = next_due(outward.world.connection, back.target.target, wait)
        if due is not None:
            (seconds,) = outward.world.connection.execute(
                "select extract(epoch from %s - clock_timestamp())", (due,)
            ).fetchone()
            time.sleep(max(0.0, float(seconds)))
        try:
            _run(back)
        except Retriable:
            continue  # the wire has cut the search off; the schedule asks again
