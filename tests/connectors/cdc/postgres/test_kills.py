"""A drain that is killed at any moment, and tried again or not, ends as if undisturbed."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from onefold.connectors.cdc import reader as log_reader
from onefold.connectors.cdc.postgres import reader
from onefold.load import steps
from onefold.load.job import Job
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.postgres.conftest import Log
from tests.connectors.cdc.postgres.test_loads import MADE_LARGE, at_source
from tests.effort import TORTURE
from tests.kills import count_kill

FORK = multiprocessing.get_context("fork")
KILLS = 100 if TORTURE else 9
STATES = (
    "create table states (number bigint generated always as identity, id int, row jsonb)",
    """create function remember() returns trigger language plpgsql as $$ begin
       if tg_op = 'TRUNCATE' then insert into states (id) select distinct id from states; return null; end if;
       if tg_op <> 'INSERT' and (tg_op = 'DELETE' or old.id <> new.id) then
           insert into states (id) values (old.id); end if;
       if tg_op <> 'DELETE' then insert into states (id, row) values (new.id, to_jsonb(new)); end if;
       return null; end $$""",
    "create trigger remember after insert or update or delete on orders for each row execute function remember()",
    "create trigger emptied after truncate on orders execute function remember()",
)
"""The source's own log of every state of every row, kept by triggers."""


STATEMENTS = (
    "insert into orders values ({first}, 'Order {many}', large(), 1) on conflict do nothing",
    "update orders set amount = {many} where id between {first} and {first} + 9",
    "update orders set note = large() where id = {second}",
    "delete from orders where id = {third}",
    "update orders set id = {number} where id = {first} and not exists (select from orders where id = {number})",
    """insert into orders select n, 'Many', null, 2 from generate_series({first}, {first} + 20) n
       on conflict (id) do update set name = 'Many again'""",
)


def change(log: Log, dice: random.Random) -> None:
    """A few transactions at the source, of every kind."""
    for _ in range(dice.randint(1, 4)):
        keys = [dice.randint(1, 60) for _ in range(3)]
        many, number = dice.randint(1, 10**6), 1000 + dice.randint(0, 10**6)
        first, second, third = keys
        values = {"first": first, "second": second, "third": third, "many": many, "number": number}
        statements = [each.format(**values) for each in STATEMENTS]
        chosen = dice.choices(statements, k=dice.randint(1, 3))
        if dice.random() < 0.06:
            chosen.insert(dice.randint(0, len(chosen)), "truncate orders")
        log.run(f"begin; {'; '.join(chosen)}; commit")


def killed(job: Job, when: str, seconds: float) -> bool:
    """Whether the load was killed before it had ended: at a moment of its own, or after so many seconds."""
    process = FORK.Process(target=_load, args=(job, when))
    process.start()
    process.join(None if when != "any moment" else seconds)
    if process.is_alive():
        process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


def _load(job: Job, when: str) -> None:
    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def then_die(step: Callable[..., object]) -> Callable[..., None]:
        def stepped(*given: object, **more: object) -> None:
            step(*given, **more)
            die()

        return stepped

    if when == "slot made":
        reader.create_slot = then_die(reader.create_slot)
    elif when == "published, not confirmed":
        steps._confirm = die
    elif when == "confirmed":
        steps._confirm = then_die(steps._confirm)
    elif when == "gated":
        steps.require_publishable = die
    steps.land(job)
    steps.publish(job)
    os._exit(0)


MOMENTS = ("any moment", "published, not confirmed", "gated", "confirmed")


@pytest.mark.parametrize("seed", range(4 if TORTURE else 1))
def test_a_drain_killed_at_any_moment_loses_and_doubles_nothing_and_keeps_the_order(
    log: Log, seed: int, monkeypatch: pytest.MonkeyPatch
):
    dice, system = random.Random(seed), orders(rows=7, deletes={"max_share": 1})
    log.run(*MADE_LARGE, *STATES, "insert into orders select n, 'Order', large(), 1 from generate_series(1, 40) n")
    log.load(system)
    took, kills = 1.0, 0
    for number in range(KILLS):
        change(log, dice)
        monkeypatch.setattr(log_reader, "CHANGES", dice.choice([10, 10_000]))
        job = log.job(system)
        if killed(job, MOMENTS[number % len(MOMENTS)], dice.uniform(0, took)):
            kills += 1
            count_kill("load", "process")
        if dice.random() < 0.5:
            change(log, dice)
        if dice.random() < 0.5:
            began = time.monotonic()
            log.do(job)
            took = time.monotonic() - began
    monkeypatch.setattr(log_reader, "CHANGES", 10_000)
    log.load(system)
    assert kills > KILLS / 2
    assert log.published_content() == at_source(log)
    assert out_of_order(log) == []
    assert log.ask("select count(*) from pg_replication_slots where slot_name = 'onefold_test_log_order'") == [(1,)]


def out_of_order(log: Log) -> list[tuple[str, str]]:
    """Versions that are no state which the row had at the source after the one before."""
    states: dict[str, list[dict[str, object] | None]] = {}
    for key, row in log.ask("select id::text, row from states order by number"):
        states.setdefault(key, []).append(row)
    wrong = []
    versions = log.query(
        "select _key, _payload, _deleted, _cursor from staging.test_log__order order by _key, _load_id"
    )
    places: dict[str, int] = {}
    for key, payload, deleted, cursor in versions:
        row = None if deleted else {name: value for name, value in payload.items() if name[0] != "_"}
        had = states.get(key, [])
        place = next((at for at in range(places.get(key, 0), len(had)) if had[at] == row), None)
        if place is None:
            wrong.append((key, cursor))
        else:
            places[key] = place
    return wrong
