"""A drain that is killed at any moment, and tried again or not, ends as if undisturbed."""

from __future__ import annotations

import random

import pytest

from onefold.connectors.cdc import reader
from onefold.load.job import Job
from tests.connectors.cdc.killed import out_of_order
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.postgres.conftest import Log
from tests.connectors.cdc.postgres.test_loads import MADE_LARGE, at_source
from tests.connectors.killed_load import kill_loads
from tests.effort import TORTURE

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


def change(log: Log, dice: random.Random, *, emptied: bool = True) -> None:
    """A few transactions at the source, of every kind."""
    for _ in range(dice.randint(1, 4)):
        keys = [dice.randint(1, 60) for _ in range(3)]
        many, number = dice.randint(1, 10**6), 1000 + dice.randint(0, 10**6)
        first, second, third = keys
        values = {"first": first, "second": second, "third": third, "many": many, "number": number}
        statements = [each.format(**values) for each in STATEMENTS]
        chosen = dice.choices(statements, k=dice.randint(1, 3))
        if emptied and dice.random() < 0.06:
            chosen.insert(dice.randint(0, len(chosen)), "truncate orders")
        log.run(f"begin; {'; '.join(chosen)}; commit")


@pytest.mark.parametrize("seed", range(4 if TORTURE else 1))
def test_a_drain_killed_at_any_moment_loses_and_doubles_nothing_and_keeps_the_order(
    log: Log, seed: int, monkeypatch: pytest.MonkeyPatch
):
    dice, system = random.Random(seed), orders(rows=7, deletes={"max_share": 1})
    log.run(*MADE_LARGE, *STATES, "insert into orders select n, 'Order', large(), 1 from generate_series(1, 40) n")
    log.load(system)

    def prepare() -> Job:
        change(log, dice)
        monkeypatch.setattr(reader, "CHANGES", dice.choice([10, 10_000]))
        return log.job(system)

    def go_on(job: Job) -> None:
        if dice.random() < 0.5:
            change(log, dice)
        log.do(job)

    kill_loads(KILLS, dice, prepare, go_on)
    monkeypatch.setattr(reader, "CHANGES", 10_000)
    log.load(system)
    assert log.published_content() == at_source(log)
    assert out_of_order(log, log.ask("select id::text, row from states order by number")) == []
    assert log.ask("select count(*) from pg_replication_slots where slot_name = 'onefold_test_log_order'") == [(1,)]
