"""What the log says of a row is what reading the row says."""

from __future__ import annotations

import pytest

from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.mysql.conftest import Log

pytestmark = pytest.mark.filterwarnings("error::sqlalchemy.exc.SAWarning")

TYPES = {
    "ti": "tinyint",
    "tu": "tinyint unsigned",
    "si": "smallint",
    "mi": "mediumint",
    "mu": "mediumint unsigned",
    "iu": "int unsigned zerofill",
    "bi": "bigint",
    "bu": "bigint unsigned",
    "bo": "boolean",
    "f": "float",
    "fd": "float(7, 2)",
    "d": "double",
    "n": "decimal(30, 10)",
    "n0": "decimal(5, 0)",
    "n9": "decimal(18, 9)",
    "ns": "decimal(9, 9)",
    "bit1": "bit(1)",
    "bits": "bit(37)",
    "dt": "date",
    "at": "datetime",
    "at6": "datetime(6)",
    "at3": "datetime(3)",
    "ts": "timestamp null",
    "ts6": "timestamp(6) null",
    "ts1": "timestamp(1) null",
    "t": "time",
    "t1": "time(1)",
    "t3": "time(3)",
    "t6": "time(6)",
    "y": "year",
    "c": "char(10)",
    "cl": "char(10) character set latin1",
    "cw": "char(100)",
    "v": "varchar(300)",
    "vs": "varchar(20) character set cp1250",
    "vu": "varchar(20) character set utf16",
    "bin": "binary(6)",
    "vb": "varbinary(300)",
    "tx": "tinytext",
    "lt": "longtext character set latin2",
    "tb": "tinyblob",
    "mb": "mediumblob",
    "e": "enum('glad', 'żal', 'it''s')",
    "el": "enum('é', 'b') character set latin1",
    "s": "set('x', 'y', 'ż')",
    "sj": "set('x', 'y', 'ż')",
    "j": "json",
    "jt": "json",
    "g": "geometry",
    "p": "point",
    "u": "uuid",
    "i6": "inet6",
    "i4": "inet4",
    "gv": "int as (id * 2) virtual",
    "gs": "varchar(20) as (concat('g', id)) stored",
}
KINDS = {
    **dict.fromkeys(("ti", "tu", "si", "mi", "mu", "iu", "bi", "bu", "y", "gv", "bits"), "integer"),
    **dict.fromkeys(("f", "fd", "d", "n", "n0", "n9", "ns"), "numeric"),
    **dict.fromkeys(("bo", "bit1"), "boolean"),
    **dict.fromkeys(("at", "at6", "at3", "ts", "ts6", "ts1"), "timestamp"),
    **dict.fromkeys(("sj", "j"), "json"),
}
LEAST = {
    "ti": "-128",
    "si": "-32768",
    "mi": "-8388608",
    "mu": "0",
    "bi": "-9223372036854775808",
    "bu": "0",
    "f": "-1.17e-38",
    "fd": "-0.01",
    "d": "-1.7976931348623157e308",
    "n": "-12345678901234567890.0123456789",
    "n0": "-99999",
    "n9": "-0.000000001",
    "ns": "-0.000000001",
    "bit1": "0",
    "bits": "1",
    "dt": "'0000-00-00'",
    "at": "'0000-00-00 00:00:00'",
    "at6": "'2026-00-10 01:02:03.5'",
    "at3": "'0001-01-01 00:00:00'",
    "ts": "'0000-00-00 00:00:00'",
    "ts6": "'1970-01-01 00:00:01'",
    "ts1": "'0000-00-00'",
    "t": "'-838:59:59'",
    "t1": "'-00:00:00.1'",
    "t3": "'-25:00:00.001'",
    "t6": "'-838:59:58.999999'",
    "y": "0",
    "c": "''",
    "cl": "'é '",
    "cw": "repeat('ż', 100)",
    "v": "''",
    "bin": "''",
    "vb": "x'0000'",
    "e": "''",
    "s": "''",
    "sj": "''",
    "u": "'00000000-0000-0000-0000-000000000000'",
    "i6": "'::'",
    "i4": "'0.0.0.0'",
    "tb": "''",
    "mb": "x'00'",
    "j": "'null'",
}
MOST = {
    "ti": "127",
    "tu": "255",
    "si": "32767",
    "mi": "8388607",
    "mu": "16777215",
    "iu": "42",
    "bi": "9223372036854775807",
    "bu": "18446744073709551615",
    "bo": "true",
    "f": "16777.216",
    "fd": "12345.67",
    "d": "0.1",
    "n": "98765432109876543210.9876543210",
    "n0": "7",
    "n9": "123456789.000000001",
    "ns": "0.1",
    "bit1": "1",
    "bits": "137438953471",
    "dt": "'9999-12-31'",
    "at": "'2026-10-25 02:30:00'",
    "at6": "'2026-03-29 02:30:00.000001'",
    "at3": "'9999-12-31 23:59:59.999'",
    "ts": "'2026-10-25 00:30:00'",
    "ts6": "'2038-01-19 03:14:07.999999'",
    "ts1": "'2026-01-01 00:00:00.7'",
    "t": "'24:00:00'",
    "t1": "'838:59:58.9'",
    "t3": "'00:00:00'",
    "t6": "'00:00:00.000001'",
    "y": "2155",
    "c": "'ab'",
    "cl": "'Žé€'",
    "cw": "'x  '",
    "v": r"'żółć 😀 \\ \" \n'",
    "vs": "'Zażółć €'",
    "vu": "'ż😀'",
    "bin": "x'0102'",
    "vb": "x'00ff00'",
    "tx": "'ł'",
    "lt": "'Łódź'",
    "tb": "x'ff'",
    "mb": "repeat(x'00ff', 40000)",
    "e": "'żal'",
    "el": "'é'",
    "s": "'ż,x'",
    "sj": "'ż,x'",
    "j": """'{"b": [1.10, null], "a": "ż"}'""",
    "jt": "'[]'",
    "g": "st_geomfromtext('POINT(1 2)', 4326)",
    "p": "point(1.5, -2)",
    "u": "'01890a5d-ac96-774b-bcce-b302099a8000'",
    "i6": "'::ffff:192.168.0.1'",
    "i4": "'255.255.255.0'",
}
ODD = {
    "u": "'a0eebc99-9c0b-11ee-bb6d-6bb9bd380a11'",
    "i6": "'::1.2.3.4'",
    "n": "0",
    "ns": "0",
    "t6": "'-00:00:01'",
    "cl": "_latin1 x'81'",
    "at6": "'2026-06-31 00:00:00.000100'",
    "e": "3",
}
LARGE = {"lt": "repeat('ł', 200000)", "mb": "repeat('x', 9000000)", "i6": "'fe80::1:0:0:1'"}
ROWS = dict(enumerate([{}, LEAST, MOST, ODD, LARGE], start=1))


def test_values_of_every_type_are_those_of_the_snapshot(log: Log):
    log.run(f"alter table orders {', '.join(f'add {name} {kind}' for name, kind in TYPES.items())}")
    for key, values in ROWS.items():
        given, names = ", ".join([str(key), "'x'", *values.values()]), ", ".join(["id", "name", *values])
        log.run(
            "set sql_mode = 'allow_invalid_dates', time_zone = '+00:00'",
            " ".join(("insert into orders", f"({names})", "values", f"({given})")),
        )
    fields = {name: {"type": KINDS.get(name, "text"), "required": False} for name in TYPES}
    system = orders(fields=fields, rows=2)
    log.load(system)
    before = log.readings()
    assert set(before) == set(map(str, ROWS))
    log.run("update orders set name = 'y'")
    log.load(system)
    after = log.readings()
    assert {record["name"] for record in after.values()} == {"y"}
    assert [differences(before[key], now | {"name": "x"}) for key, now in after.items()] == [{}] * len(ROWS)


def differences(one: dict[str, object], other: dict[str, object]) -> dict[str, tuple[object, object]]:
    return {name: (one.get(name), other.get(name)) for name in one | other if one.get(name) != other.get(name)}
