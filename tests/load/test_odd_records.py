"""Records that a source may send and nobody foresees: each waits in quarantine or is loaded as it is, by itself."""

from __future__ import annotations

import json

import pytest

from onefold.connectors.record import Record
from onefold.connectors.records import Head
from tests.load.shop import SHOP, Shop, at, record

HEAD = Head("shop.customer", SHOP.streams["customer"])


def raw(more: str = "", **fields: object) -> bytes:
    """A record as it is on the wire: a sound one with these fields, and `more` of its members as they stand there."""
    content = {"id": "odd", "name": "N", "credit": 10, "changed": at(5), **fields}
    return json.dumps(content).encode()[:-1] + (f", {more}".encode() if more else b"") + b"}"


def named(name: str) -> bytes:
    return raw(f"{json.dumps(name)}: 1")


ODD: dict[str, bytes] = {
    "key of 10 kB": raw(id="k" * 10_000),
    "key of 2,600 bytes": raw(id="ż" * 1_300),
    "key of 10 kB that packs well and one that does not": raw(
        id="".join(chr(33 + n * 7919 % 9000) for n in range(9000))
    ),
    "key beyond 64 bits": raw(id=10**30),
    "key of 5,000 digits": raw().replace(b'"odd"', b"9" * 5000),
    "key that is infinite": raw().replace(b'"odd"', b"1e400"),
    "key that is no number": raw().replace(b'"odd"', b"NaN"),
    "key with NUL": raw(id="a\0b"),
    "key of half a pair": raw(id="a\ud800"),
    "key that is an object": raw(id={"a": 1}),
    "key that is blank": raw(id=" "),
    "key with a line's end, a quote and a backslash": raw(id="a\nb'c\"d\\e%s{x}"),
    "number of 5,000 digits": raw().replace(b"10", b"1" * 5000, 1),
    "number beyond all numbers": raw().replace(b"10", b"1e999999", 1),
    "number below all numbers": raw().replace(b"10", b"1e-999999", 1),
    "number with a long fraction": raw().replace(b"10", b"0." + b"3" * 20_000, 1),
    "infinity": raw(credit=float("inf")),
    "time beyond the calendar": raw(changed="9999-12-31T23:59:59-23:59"),
    "time before it": raw(changed="0001-01-01T00:00:00+23:59"),
    "time of 10 kB": raw(changed="2026-03-01" * 1000),
    "time in digits that are none": raw(changed="²026-03-01T08:05:00Z"),
    "text of 3 MB": raw(name="x" * 3_000_000),
    "text with NUL": raw(name="a\0b"),
    "text of half a pair": raw(name="a\udc00"),
    "text that is no UTF-8": raw().replace(b'"N"', b'"\xff\xfe"'),
    "10,000 levels of lists": raw('"deep": ' + "[" * 10_000 + "]" * 10_000),
    "10,000 levels of objects": raw('"deep": ' + '{"a":' * 10_000 + "1" + "}" * 10_000),
    "10,000 levels in a declared field": raw().replace(b'"N"', b"[" * 10_000 + b"]" * 10_000),
    "10,000 levels instead of a record": b"[" * 10_000 + b"]" * 10_000,
    "a name with NUL": named("a\0b"),
    "a name of half a pair": named("a\ud800"),
    "a name of 10 kB": named("n" * 10_000),
    "no name": named(""),
    **{
        f"the name {name}": named(name)
        for name in ("50%", "%s", "%(x)s", "{x}", "{{ x }}", "a'b", 'a"b', "a\\b", "$.a", "*")
    },
    **{
        f"the name {name}": named(name)
        for name in ("_key", "_payload", "_withheld", "ID", "a.b", "a;b--", "x\ny", "🐢")
    },
    "a name twice": raw('"name": "M"'),
    "5,000 names": raw(", ".join(f'"f{n}": {n}' for n in range(5_000))),
    "no record at all": b"null",
    "a number": b"7",
    "nothing": b"",
    "a half": b'{"id": "odd", ',
}


MEANT_BY_NOBODY = {
    "changed": [
        "2026-03-01 BC",
        "2026-03-01T08:00:00Z bc",
        "0044-03-15 BC",
        "infinity",
        "today",
        "20260-01-01",
        ["2-"],
    ],
    "credit": ["NaN", "Infinity", "0x1F", "1_000", [10], True],
}
"""By field: PostgreSQL reads most of them, as something else than the source can have meant."""
WELL_MEANT = {
    "changed": ["2026-03-01", "20260301", "1999-12-31 23:59:59", "2026-03-01T08:00:00 utc", "2026-03-01 08:00+01"],
    "credit": ["10", " 10.5 ", "+1e3", 7, 1e21],
}


def loads_around(shop: Shop, odd: list[Record]) -> None:
    """The odd ones load or wait; whatever else there is loads, and so does the next load."""
    good = [record(f"k{n}", n) for n in range(20 * len(odd))]
    half = len(good) // 2
    load = shop.load([*good[:half], *odd, *good[half:]])
    assert load.state == "published"
    current = shop.query("select _key from staging.shop__customer__current where not _deleted")
    assert {one.key for one in good} <= {key for (key,) in current}
    assert load.rows_read == len(good) + len(odd)
    assert load.rows_new + load.rows_quarantined == load.rows_read
    assert shop.load([record("later", 9)]).state == "published"


def test_each_odd_record_is_by_itself(shop: Shop) -> None:
    loads_around(
        shop, [HEAD.record(payload.replace(b'"odd"', b'"odd%d"' % n)) for n, payload in enumerate(ODD.values())]
    )


@pytest.mark.full_matrix
@pytest.mark.parametrize("payload", ODD.values(), ids=ODD.keys())
def test_each_odd_record_alone_is_by_itself(shop: Shop, payload: bytes) -> None:
    loads_around(shop, [HEAD.record(payload)])


@pytest.mark.parametrize("field", MEANT_BY_NOBODY)
def test_a_value_that_postgresql_reads_and_nobody_means_waits_by_itself(shop: Shop, field: str) -> None:
    def one(key: str, value: object) -> Record:
        payload = json.dumps({"id": key, "name": "N", "credit": 10, "changed": at(5), field: value}).encode()
        return Record(key, at(5), False, payload)

    good = [one(f"good {n}", value) for n, value in enumerate(WELL_MEANT[field] * 60)]
    odd = [one(f"odd {n}", value) for n, value in enumerate(MEANT_BY_NOBODY[field])]
    load = shop.load([*good, *odd])
    waiting = {key for (key,) in shop.query("select _key from ops.quarantine")}
    assert waiting == {each.key for each in odd}
    assert load.rows_new == len(good)
    # One at a time: what the others made the gate look at closely is not there.
    for key, value in enumerate(MEANT_BY_NOBODY[field][:2]):
        assert shop.load([*good[:30], one(f"alone {key}", value)]).rows_quarantined == 1, value
