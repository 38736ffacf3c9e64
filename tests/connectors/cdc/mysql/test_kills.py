"""A drain that is killed at any moment, and tried again or not, ends as if undisturbed."""

from __future__ import annotations

import json
import random

import pytest

from onefold.connectors.cdc import reader
from onefold.load.job import Job
from tests.connectors.cdc.killed import out_of_order
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.mysql.conftest import Log
from tests.connectors.killed_load import kill_loads
from tests.effort import TORTURE

KILLS = 100 if TORTURE else 7
STATES = (
    "create table states (number bigint auto_increment primary key, id int, state longtext)",
    "create function large() returns longtext return repeat(md5(rand()), 300)",
    """create procedure remember(id int, name text, note longtext, amount decimal(12, 2))
        insert into states (id, state)
        values (id, json_object('id', id, 'name', name, 'note', note, 'amount', amount))""",
    """create trigger added after insert on orders for each row
        call remember(new.id, new.name, new.note, new.amount)""",
    """create trigger changed after update on orders for each row begin
        if old.id <> new.id then insert into states (id) values (old.id); end if;
        call remember(new.id, new.name, new.note, new.amount); end""",
    "create trigger removed after delete on orders for each row insert into states (id) values (old.id)",
)
"""The source's own log of every state of every row, kept by triggers."""
STATEMENTS = (
    "insert ignore into orders values ({first}, 'Order {many}', large(), 1)",
    "update orders set amount = {many} where id between {first} and {first} + 9",
    "update orders set note = large() where id = {second}",
    "delete from orders where id = {third}",
    "update ignore orders set id = {number} where id = {first}",
    """insert into orders select seq, 'Many', null, 2 from seq_1_to_60 where seq between {first} and {first} + 20
       on duplicate key update name = 'Many again'""",
)


def change(log: Log, dice: random.Random) -> None:
    """A few transactions at the source, of every kind."""
    for _ in range(dice.randint(1, 4)):
        first, second, third = (dice.randint(1, 60) for _ in range(3))
        values = {"first": first, "second": second, "third": third, "many": dice.randint(1, 10**6)}
        number = 1000 + dice.randint(0, 10**6)
        chosen = [each.format(**values, number=number) for each in dice.choices(STATEMENTS, k=dice.randint(1, 3))]
        log.run("begin", *chosen, "commit")
        if dice.random() < 0.06:
            log.run("insert into states (id) select distinct id from orders", "truncate orders")
        if dice.random() < 0.2:
            log.run("flush binary logs")


@pytest.mark.parametrize("seed", range(4 if TORTURE else 1))
def test_a_drain_killed_at_any_moment_loses_and_doubles_nothing_and_keeps_the_order(
    log: Log, seed: int, monkeypatch: pytest.MonkeyPatch
):
    dice, system = random.Random(seed), orders(rows=7, deletes={"max_share": 1})
    log.run(*STATES, "insert into orders select seq, 'Order', large(), 1 from seq_1_to_40")

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
    assert log.published_content() == log.at_source()
    assert out_of_order(log, states(log)) == []


def states(log: Log) -> list[tuple[str, dict[str, object] | None]]:
    """A procedure's arguments are texts in the JSON that it makes."""
    found = log.ask("select id, state from states order by number")
    return [(str(number), None if state is None else _typed(json.loads(state))) for number, state in found]


def _typed(row: dict[str, str | None]) -> dict[str, object]:
    amount = row["amount"]
    return {**row, "id": int(row["id"] or 0), "amount": None if amount is None else float(amount)}
