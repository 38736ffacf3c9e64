"""What is done at a PostgreSQL while Debezium's engine reads it: a table of every type, and every kind of change."""

from __future__ import annotations

SETUP = (
    "create extension hstore",
    "create type mood as enum ('glad', 'sad')",
    "create domain price as numeric(8, 3)",
    """create table types (
           id int primary key, i2 smallint, i8 bigint, f4 real, f8 double precision, n numeric, n2 numeric(12, 2),
           p price, b boolean, c char(8), v varchar(20), tx text, u uuid, d date, t time, t0 time(0), tz timetz,
           ts timestamp, ts0 timestamp(0), tsz timestamptz, iv interval, j json, jb jsonb, by bytea, ints int[],
           bigs bigint[], texts text[], uuids uuid[], nums numeric(6, 2)[], days date[], m mood, r int4range, ip inet,
           mo money, bi bit(1), bits bit(12), h hstore)""",
    "alter table types set (toast_tuple_target = 128)",
    *(
        f"alter table types alter {column} set storage external"
        for column in ("n", "tx", "j", "jb", "by", "ints", "bigs", "texts", "uuids", "nums", "days", "h")
    ),
    "create table whole (id int primary key, note text, amount numeric(12, 2))",
    "alter table whole replica identity full",
    "create table keyed (day date, price numeric(8, 2), name text, primary key (day, price))",
    "create table finish (id int primary key)",
)
"""`types` is as most tables are; of `whole` the log has the whole row before; the key of `keyed` is encoded."""

BEFORE = (
    "insert into types (id, n2, ts, tx) values (100, 7.50, '2026-01-02 03:04:05', 'in the snapshot')",
    "insert into whole values (100, 'in the snapshot', 1)",
)
"""Done before the engine takes its snapshot."""

_LARGE = """update types set
    tx = repeat('text ', 500), n = repeat('1234567890', 30)::numeric, jb = jsonb_build_object('a', repeat('j', 300)),
    j = json_build_object('a', repeat('j', 300)), by = decode(repeat('00ff', 150), 'hex'),
    ints = array(select generate_series(1, 100)), bigs = array(select generate_series(1, 60)::bigint),
    texts = array(select 'text ' || n from generate_series(1, 40) n),
    uuids = array_fill('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, array[20]),
    nums = array_fill(1.25, array[40]), days = array_fill('2026-01-02'::date, array[60]),
    h = hstore('a', repeat('h', 300))"""

CHANGES = (
    """insert into types values (
           1, 32767, 9223372036854775807, 1.5, 1e300, 123456789.123456789, 1.10, 1.250, true, 'ab', 'ż"\\', 'text',
           'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2026-02-28', '03:04:05.123456', '03:04:05', '03:04:05.5+02',
           '2026-03-29 02:30:00.5', '2026-03-29 02:30:00', '2026-10-25 02:30:00.123456+02', '1 year 2 days 3 hours',
           '{"a": 1.10}', '{"b": [1, null]}', '\\x00ff', '{1,2,null}', '{9223372036854775807}', '{a,"b c",null}',
           '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '{1.50,-0.01}', '{2026-02-28}', 'sad', '[1,5)', '10.0.0.1',
           '12.34', B'1', B'000010101101', 'a=>1')""",
    """insert into types (id, n, n2, f4, f8, d, t, ts, tsz, iv, j, jb, c, v, by, ints, texts)
       values (2, 'NaN', 'NaN', 'NaN', '-Infinity', 'infinity', '24:00:00', '-infinity', 'infinity',
               '-3 days -00:00:01.5', 'null', 'null', '', '', '', '{}', '{}')""",
    """insert into types (id, n, n2, f4, f8, d, ts, tsz, j, p)
       values (3, 0.00000001, -0.01, 0.1, 0.1, '0044-03-15 BC', '12345-01-01', '0044-03-15 BC', '[]', -5)""",
    _LARGE + " where id = 1",
    "update types set i2 = 5, n2 = 12345678.90 where id = 1",
    "begin; update types set i2 = 6 where id = 1; update types set i2 = 7, tx = 'short' where id = 1; commit",
    "update types set id = 10 where id = 1",
    _LARGE + " where id = 10",
    "delete from types where id = 2",
    "insert into types (id, i2) values (4, 4)",
    "begin; delete from types where id = 4; insert into types (id, i2) values (4, 44); commit",
    "insert into whole values (1, repeat('note ', 1000), 1.5), (2, null, null)",
    "update whole set amount = -2.25 where id = 1",
    "update whole set id = 11 where id = 1",
    "delete from whole where id = 2",
    "insert into keyed values ('2026-02-28', 1.50, 'one'), ('2026-03-01', -2.50, 'two')",
    "update keyed set name = 'One' where day = '2026-02-28'",
    "update keyed set price = 3.5 where day = '2026-02-28'",
    "delete from keyed where day = '2026-03-01'",
    """begin; insert into whole values (20, 'a', 1), (21, 'b', 2); truncate whole;
       insert into whole values (22, 'c', 3); commit""",
    "alter table types add extra text default 'x'",
    "insert into types (id, extra) values (5, 'y')",
    "alter table types drop extra",
    "update types set i2 = 8 where id = 5",
)
