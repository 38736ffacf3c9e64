"""Every type of PostgreSQL and of MariaDB is given as its database writes it, digit for digit."""

from __future__ import annotations

import json
from decimal import Decimal

import sqlalchemy as sa

from onefold.platform.postgres import Postgres
from tests.connectors.databases import READER, Source, on_mariadb, on_postgresql, system

Cases = list[tuple[str, str, object]]
"""A column's type, a value of it as SQL, and what JSON has."""

NUMBER = Decimal
AT = "2026-01-02T01:04:05.123456Z"
POSTGRESQL: Cases = [
    ("smallint", "-32768", -32768),
    ("bigint", "9223372036854775807", 9223372036854775807),
    ("numeric", "123456789012345678901234567890.1234567890", NUMBER("123456789012345678901234567890.1234567890")),
    ("numeric(6,2)", "1.5", NUMBER("1.50")),
    ("numeric(5,-2)", "12345", 12300),
    ("real", "123456.78", NUMBER("123456.78")),
    ("double precision", "0.1", NUMBER("0.1")),
    ("money", "'12,345.67'", "$12,345.67"),
    ("boolean", "true", True),
    ("char(5)", "'ab'", "ab"),
    ('"char"', "'x'", "x"),
    ("name", "'abc'", "abc"),
    ("varchar(5)", "'żółw '", "żółw "),
    ("bytea", "'\\xdeadbeef'", "3q2+7w=="),
    ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("date", "'2026-01-02'", "2026-01-02"),
    ("time", "'01:02:03.456789'", "01:02:03.456789"),
    ("timetz", "'01:02:03+02'", "01:02:03+02:00"),
    ("timestamp", "'2026-01-02 01:04:05.123456'", AT),
    ("timestamptz", "'2026-01-02 03:04:05.123456+02'", AT),
    ("interval", "'1 day 2 hours'", "P1DT2H"),
    ("bit(5)", "B'10101'", "10101"),
    ("varbit", "B'101'", "101"),
    (
        "jsonb",
        '\'{"a": 1.10, "b": [12345678901234567890.10]}\'',
        {"a": NUMBER("1.10"), "b": [NUMBER("12345678901234567890.10")]},
    ),
    ("json", "'null'", None),
    ("inet", "'192.168.0.1/24'", "192.168.0.1/24"),
    ("cidr", "'10.0.0.0/8'", "10.0.0.0/8"),
    ("macaddr", "'08:00:2b:01:02:03'", "08:00:2b:01:02:03"),
    ("macaddr8", "'08:00:2b:01:02:03:04:05'", "08:00:2b:01:02:03:04:05"),
    ("point", "'(1.5,2)'", "(1.5,2)"),
    ("polygon", "'((1,2),(3,4))'", "((1,2),(3,4))"),
    ("circle", "'<(1,2),3>'", "<(1,2),3>"),
    ("int4range", "'[1,5)'", "[1,5)"),
    ("int8range", "'empty'", "empty"),
    ("numrange", "'[1.50,)'", "[1.50,)"),
    ("daterange", "'[-infinity,20260-01-01)'", "[-infinity,20260-01-01)"),
    ("tstzrange", "'[2026-01-01 00:00+00,infinity)'", '["2026-01-01 00:00:00+00",infinity)'),
    ("int4multirange", "'{[1,2),[5,9)}'", "{[1,2),[5,9)}"),
    ("tsvector", "'a b:1'", "'a' 'b':1"),
    ("pg_lsn", "'16/B374D848'", "16/B374D848"),
    ("oid", "4294967295", 4294967295),
    ("xid8", "'18446744073709551615'", "18446744073709551615"),
    ("int[]", "'{1,2,null}'", [1, 2, None]),
    ("int[][]", "'{{1,2},{3,4}}'", [[1, 2], [3, 4]]),
    ("numeric[]", "'{1.10,2}'", [NUMBER("1.10"), 2]),
    ("text[]", "'{a,\"b,c\",null}'", ["a", "b,c", None]),
    ("timestamptz[]", "'{2026-01-02 03:04:05+02}'", ["2026-01-02T01:04:05Z"]),
    ("jsonb[]", "array['{\"a\": 1.10}'::jsonb]", [{"a": NUMBER("1.10")}]),
    ("int4range[]", "array['[1,5)'::int4range]", ["[1,5)"]),
    ("point[]", "array['(1,2)'::point]", ["(1,2)"]),
    ("mood", "'sad'", "sad"),
    ("mood[]", "'{sad,happy}'", ["sad", "happy"]),
    ("pair", "row(1,'a b')::pair", '(1,"a b")'),
    ("pair[]", "array[row(1,'a')::pair]", '{"(1,a)"}'),
    ("price", "1.5", NUMBER("1.50")),
    ("price[]", "'{1.5,null}'", [NUMBER("1.50"), None]),
    ("price[][]", "'{{1.5},{2}}'", [[NUMBER("1.50")], [NUMBER("2.00")]]),
    ("net_price", "1.5", NUMBER("1.50")),
    ("net_price[]", "'{1.5}'", [NUMBER("1.50")]),
    ("moment", "'2026-01-02 03:04:05.123456+02'", AT),
    ("span", "'[1,5)'", "[1,5)"),
    ("tags", "'{a,b}'", ["a", "b"]),
    ("hstore", "'a=>1'", {"a": "1"}),
    ("ltree", "'a.b'", "a.b"),
    ("ltree[]", "'{a.b}'", "{a.b}"),
    ("citext", "'Ab'", "Ab"),
    ("citext[]", "'{Ab}'", ["Ab"]),
]
MADE = (
    "create type mood as enum ('sad', 'happy')",
    "create type pair as (a int, b text)",
    "create domain price as numeric(10,2)",
    "create domain net_price as price",
    "create domain moment as timestamptz",
    "create domain span as int4range",
    "create domain tags as text[]",
    *(f"create extension {name}" for name in ("hstore", "ltree", "citext")),
)
MARIADB: Cases = [
    ("tinyint unsigned", "255", 255),
    ("bigint", "-9223372036854775808", -9223372036854775808),
    ("bigint unsigned", "18446744073709551615", 18446744073709551615),
    (
        "decimal(40,20)",
        "12345678901234567890.12345678901234567890",
        NUMBER("12345678901234567890.12345678901234567890"),
    ),
    ("decimal(10,2)", "1.5", NUMBER("1.50")),
    ("float", "123456.78", NUMBER("123456.78")),
    ("double", "0.1", NUMBER("0.1")),
    ("bit(1)", "b'1'", 1),
    ("bit(64)", f"b'{'1' * 64}'", 18446744073709551615),
    ("boolean", "true", 1),
    ("date", "'2026-01-02'", "2026-01-02"),
    ("date", "'0000-00-00'", "0000-00-00"),
    ("datetime(6)", "'2026-01-02 01:04:05.123456'", AT),
    ("timestamp(6) null", "'2026-01-02 01:04:05.123456'", AT),
    ("time(6)", "'-25:00:00.000001'", "-25:00:00.000001"),
    ("year", "2026", 2026),
    ("char(5)", "'ab'", "ab"),
    ("varchar(20)", "'żółw '", "żółw "),
    ("longtext", "'😀'", "😀"),
    ("varbinary(4)", "x'dead'", "3q0="),
    ("blob", "x'00ff'", "AP8="),
    ("enum('z','a')", "'a'", "a"),
    ("set('z','a')", "'a,z'", ["z", "a"]),
    (
        "json",
        '\'{"a": 1.10, "b": 12345678901234567890.123}\'',
        {"a": NUMBER("1.10"), "b": NUMBER("12345678901234567890.123")},
    ),
    ("inet6", "'2001:db8::1'", "2001:db8::1"),
    ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("varchar(20) character set latin2", "'żółw'", "żółw"),
]


def read(source: Source, cases: Cases) -> list[object]:
    """The values of one row that has a column of each type, as the connector gives them."""
    columns = {f"v{number}": each for number, each in enumerate(cases)}
    made = ", ".join(f"{name} {kind}" for name, (kind, _, _) in columns.items())
    with source.owner.connect() as connection:
        if source.name != "postgresql":
            connection.execute(sa.text("set sql_mode = ''"))
        connection.exec_driver_sql(f"create table t (id int primary key, nazwa text, {made})")
        row = {"id": sa.literal(1), "nazwa": sa.literal("a")}
        row |= {name: sa.literal_column(sql) for name, (_, sql, _) in columns.items()}
        table = sa.table("t", *map(sa.column, row))
        connection.execute(sa.insert(table).from_select([*row], sa.select(*row.values())))
        connection.exec_driver_sql(f"grant select on t to {READER}")
    fields = {
        name: "json" if isinstance(expected, dict | list | None) else "text"
        for name, (_, _, expected) in columns.items()
    }
    (page,) = source.pages(system("t", cursor=None, fields=fields))
    row = json.loads(page.records[0].payload, parse_float=Decimal)
    return [(kind, row[name]) for name, (kind, _, _) in columns.items()]


def test_every_type_of_postgresql_is_given_digit_for_digit(postgres: Postgres):
    with on_postgresql(postgres) as source:
        source.run(*MADE)
        assert read(source, POSTGRESQL) == [(kind, expected) for kind, _, expected in POSTGRESQL]


def test_every_type_of_mariadb_is_given_digit_for_digit(maria: int):
    with on_mariadb(maria) as source:
        assert read(source, MARIADB) == [(kind, expected) for kind, _, expected in MARIADB]
