"""Changes of every kind, by the hundred thousand, to the table `types` (changes.py), and the source's own log of them.

Two connections write, so that transactions end in another order than they began. A change of a key writes the row's
large values too: else Debezium cannot tell them at all, and protocol cdc as they are by the time it reads.
"""

from __future__ import annotations

import random

import psycopg

KEYS = 400
"""Of each connection."""
_VALUES = """
    (random() * 60000 - 30000)::int, (random() * 1e18)::bigint, random()::real, random() * 1e9,
    round((random() * 1e12)::numeric, 6), round((random() * 1e9)::numeric, 2), round((random() * 1e4)::numeric, 3),
    random() < 0.5, chr(97 + (random() * 25)::int), 'ż "' || (random() * 1000)::int, null, gen_random_uuid(),
    '2026-01-01'::date + (random() * 9000)::int, '00:00'::time + random() * interval '23 hours',
    '00:00'::time + (random() * 80000)::int * interval '1 second', '03:04:05+02',
    '2026-01-01'::timestamp + random() * interval '300 days',
    '2026-01-01'::timestamp + (random() * 1e7)::int * interval '1 second', now() - random() * interval '300 days',
    '1 day 02:03:04', json_build_object('a', random()::numeric(9, 4)), jsonb_build_object('b', array[n, null]),
    decode(md5(random()::text), 'hex'), array[n, null], array[n::bigint], array['a,b', null, 'ż'],
    array[gen_random_uuid()], array[round(random()::numeric, 2)], array['2026-01-01'::date + n % 1000],
    (array['glad', 'sad'])[1 + n % 2]::mood, int4range(n, n + 5), '10.0.0.1'::inet, n::money, (n % 2)::bit,
    (n % 4096)::bit(12), hstore('k', n::text)"""
_LARGE = (
    "tx = repeat(md5(random()::text), 80), jb = jsonb_build_object('a', repeat(md5(random()::text), 20)),"
    " by = decode(repeat(md5(random()::text), 20), 'hex'), texts = array_fill(md5(random()::text), array[20]),"
    " ints = array(select generate_series(1, 60)), uuids = array_fill(gen_random_uuid(), array[12])"
)
_STATEMENTS = (
    "insert into types select n, {values} from generate_series({low}, {high}) n on conflict do nothing",
    "update types set i2 = i2 / 2, n2 = round(n2 / 2, 2), ts = ts + interval '1 ms' where id between {low} and {high}",
    "update types set {large} where id between {low} and {high}",
    "delete from types where id between {low} and {high} and id % 3 = {rest}",
    """update types set id = -id, {large} where id between {low} and {high} and id % 5 = 0
       and not exists (select from types other where other.id = -types.id)""",
)
_NOTES = (
    "alter table types reset (toast_tuple_target)",
    "create table states (number bigint generated always as identity primary key, gone int, like types)",
    """create function remember() returns trigger language plpgsql as $$ begin
       if tg_op = 'TRUNCATE' then insert into states (gone, id) values (-1, -1); return null; end if;
       if tg_op = 'DELETE' or (tg_op = 'UPDATE' and old.id <> new.id) then
           insert into states (gone, id) values (old.id, old.id); end if;
       if tg_op <> 'DELETE' then
           insert into states overriding system value select nextval('states_number_seq'), null, new.*; end if;
       return null; end $$""",
    "create trigger remember after insert or update or delete on types for each row execute function remember()",
    "create trigger emptied after truncate on types execute function remember()",
)


def keep_states(url: str) -> None:
    """From here on the table `states` has every state that a row has had: `gone` is the key of a row that went, and -1
    when the table was emptied."""
    with psycopg.connect(url, autocommit=True) as source:
        for statement in _NOTES:
            source.execute(statement)


def change(url: str, changes: int, seed: int, *, plain: bool = False) -> int:
    """Make so many changes, or a few more, and return their number. `plain`: no truncate, no new columns."""
    dice, done, step = random.Random(seed), 0, 0
    with psycopg.connect(url) as one, psycopg.connect(url) as other:
        for each in (one, other):
            each.execute("select setseed(%s)", (dice.random(),))
        while done < changes:
            step += 1
            for first, writer in ((1, one), (1 + KEYS, other)):
                done += sum(writer.execute(_statement(dice, first)).rowcount for _ in range(dice.randint(1, 3)))
            for writer in dice.sample((one, other), 2):
                writer.commit()
            if not plain and step % 40 == 20:
                one.execute("truncate types")
                one.commit()
            if not plain and step % 40 in (5, 30):  # a column that no stream reads
                one.execute("alter table types " + ("add extra text default 'x'" if step % 40 == 5 else "drop extra"))
                one.commit()
    return done


def _statement(dice: random.Random, first: int) -> str:
    low = dice.randint(first, first + KEYS - 1)
    high = min(low + dice.randint(0, 60), first + KEYS - 1)
    chosen = dice.choices(_STATEMENTS, weights=(4, 8, 2, 1, 1))[0]
    return chosen.format(values=_VALUES, large=_LARGE, low=low, high=high, rest=dice.randint(0, 2))
