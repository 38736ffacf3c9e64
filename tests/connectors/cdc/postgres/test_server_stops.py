"""A server that stops at once in the middle of a drain, the source's or the warehouse's, costs nothing but time."""

from __future__ import annotations

import os
import random
import signal
from multiprocessing.synchronize import Event

import pytest

from onefold.errors import Retriable
from onefold.load import publish, steps
from onefold.load.job import Job
from onefold.load.landing import Landing
from onefold.platform.postgres import Postgres
from tests.connectors.cdc.killed import out_of_order
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.postgres.conftest import Log
from tests.connectors.cdc.postgres.test_kills import STATES, change
from tests.connectors.cdc.postgres.test_loads import MADE_LARGE, at_source
from tests.connectors.killed_load import FORK
from tests.doomed import PATIENCE
from tests.effort import TORTURE
from tests.kills import count_kill

STOPS = 50 if TORTURE else 2
STOP_AT = {
    "page": (Landing, "add"),
    "publishing": (publish, "store_checkpoints"),
    "published": (steps, "_confirm"),
}
"""What a load does next when the server stops."""


def _load_until(job: Job, moment: str, reached: Event, stopped: Event) -> None:
    owner, name = STOP_AT[moment]
    step = getattr(owner, name)

    def waiting(*given: object, **more: object) -> object:
        if not reached.is_set() and (moment != "page" or given[1].records):
            reached.set()
            stopped.wait(PATIENCE)
        return step(*given, **more)

    setattr(owner, name, waiting)
    try:
        steps.land(job)
        steps.publish(job)
    except Retriable:
        os._exit(1)
    os._exit(0)


@pytest.mark.parametrize("which", ["source", "warehouse"])
def test_a_server_that_stops_at_once_in_the_middle_of_a_drain_loses_and_doubles_nothing(
    log: Log, log_server: Postgres, postgres: Postgres, which: str
):
    dice, system, server = random.Random(which), orders(rows=7), log_server if which == "source" else postgres
    log.run(*MADE_LARGE, *STATES, "insert into orders select n, 'Order', large(), 1 from generate_series(1, 40) n")
    log.load(system)
    moments = ("page", "published") if which == "source" else tuple(STOP_AT)
    for number in range(max(STOPS, len(moments))):
        change(log, dice, emptied=False)
        log.run("update orders set amount = amount + 1 where id <= 40")
        job = log.job(system)
        reached, stopped = FORK.Event(), FORK.Event()
        load = FORK.Process(target=_load_until, args=(job, moments[number % len(moments)], reached, stopped))
        load.start()
        assert reached.wait(PATIENCE)
        server.stop(signal.SIGQUIT)
        stopped.set()
        load.join(PATIENCE)
        server.start()
        assert load.exitcode in (0, 1), "the load may be tried again, or was published"
        count_kill("load", "server")
        log.do(job if dice.random() < 0.5 else log.job(system))
    assert log.published_content() == at_source(log)
    assert out_of_order(log, log.ask("select id::text, row from states order by number")) == []
