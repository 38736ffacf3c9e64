"""Values of a database that PostgreSQL, MariaDB and Python hold differently: as they are, or in quarantine by name."""

from __future__ import annotations

import hashlib
import json

import pytest

from onefold.errors import Fatal
from onefold.platform.postgres import Postgres
from tests.connectors.databases import READER, Source, keys, on_mariadb, on_postgresql, system
from tests.connectors.loaded_database import Erp

NO_TIME = {"infinity": "infinity", "-infinity": "-infinity", "20260-01-01": "20260", "0044-03-15 BC": "0044-03-15"}


def filled(source: Source, columns: str, *rows: str, key: str = "id text primary key") -> None:
    """The table klienci with these columns beside id, nazwa and zmieniono, and these rows, for the reader to read."""
    source.run(
        f"create table klienci ({key}, nazwa varchar(50), zmieniono timestamp(6) null, {columns})",
        *(f"insert into klienci values ({row})".replace(":", r"\:") for row in rows),  # noqa: S608
        f"grant select on klienci to {READER}",
    )


def payloads(source: Source, **fields: str) -> dict[str, dict[str, object]]:
    pages = source.pages(system("klienci", fields={"id": "text", **fields}))
    return {record.key or "": json.loads(record.payload, parse_float=str) for page in pages for record in page.records}


def test_a_row_that_postgresql_or_its_driver_cannot_take_waits_with_its_column_and_the_rest_is_loaded(erp: Erp):
    hexadecimal = "".join(hashlib.md5(bytes([n])).hexdigest() for n in range(125))  # noqa: S324 - cannot be compressed
    good = "'{}', 'ok', now(), '2026-01-02', '2026-01-02', '2026-01-02', 1.5, 2.5, array[1.5]"
    row = "'{key}', 'bad', now(), {day}, {stamp}, {zoned}, {real}, {exact}, array[1.5]"
    usual = {"day": "'2026-01-02'", "stamp": "'2026-01-02'", "zoned": "'2026-01-02'", "real": "1.5", "exact": "2.5"}
    bad = {f"{column} {text}": {column: f"'{text}'"} for column in ("day", "stamp", "zoned") for text in NO_TIME} | {
        f"{column} {text}": {column: f"'{text}'"} for column in ("real", "exact") for text in ("NaN", "Infinity")
    }
    filled(
        erp.source,
        "day date, stamp timestamp, zoned timestamptz, real double precision, exact numeric, list double precision[]",
        *(good.format(f"good {n}") for n in range(400)),
        *(row.format(key=key, **usual | change) for key, change in bad.items()),
        f"'{hexadecimal}', {good.split(', ', 1)[1]}",
        good.format("list").replace("array[1.5]", "array[1.5, '-Infinity']"),
        key="id text",
    )
    of = system(
        "klienci",
        fields={"id": "text", "day": "date", "stamp": "timestamp", "zoned": "timestamp", "real": "numeric"}
        | {"exact": "numeric", "list": "json"},
    )
    load = erp.load(of)
    assert (load.rows_new, load.rows_quarantined) == (400, len(bad) + 2)
    found = dict(erp.query("select coalesce(_key, split_part(reason, ' ', 2)), reason from ops.quarantine"))
    assert found.pop("record") == "the record is not storable JSON: invalid input syntax for type json"
    assert found.pop("primary") == "the primary key (id) is longer than 2500 bytes"
    assert found.keys() == bad.keys()
    for key, reason in found.items():
        column = key.split()[0]
        assert reason.startswith(f"{column} cannot be read as"), (key, reason)
    assert {key for (key,) in erp.query("select _key from staging.test_erp__klient__current")} == {
        f"good {n}" for n in range(400)
    }


def test_a_row_whose_cursor_is_no_time_comes_with_every_load_and_waits(erp: Erp):
    filled(erp.source, "x int", "'a', 'A', now(), 1", "'b', 'B', 'infinity', 1", "'c', 'C', '9999-12-31', 1")
    load = erp.load(system("klienci", fields={"id": "text"}))
    assert (load.rows_read, load.rows_new, load.rows_quarantined) == (3, 1, 2)
    erp.source.run("insert into klienci values ('d', 'D', '0044-03-15 BC', 1), ('e', 'E', '-infinity', 1)")
    assert erp.load(system("klienci", fields={"id": "text"})).rows_quarantined == 2
    assert len(erp.query("select from ops.quarantine where reason like '%the cursor (zmieniono) cannot be read'")) == 4
    assert erp.query("select value < '2100' from ops.cursor") == [(True,)]


def test_spans_of_time_and_sets_are_given_as_they_are(postgres: Postgres, maria: int):
    with on_postgresql(postgres) as source:
        filled(
            source,
            "span interval, clock time, spans interval[]",
            "'a', 'A', now(), '1 mon', '24:00', array[interval '30 days', '1 mon']",
            "'b', 'B', now(), '30 days', '01:30', array['1 year -2 days +25:30:00.5'::interval]",
            "'c', 'C', now(), '1 year 2 mons 3 days 04:05:06.7', null, array['-1 mons +3 days -04:05:06'::interval]",
            "'d', 'D', now(), '-1 year +2 mons', null, array['-00:00:00.5', '178000000 years', '0']::interval[]",
        )
        found = payloads(source, span="text", clock="text", spans="json")
    assert (found["a"]["span"], found["b"]["span"]) == ("P1M", "P30D")
    assert (found["c"]["span"], found["d"]["span"]) == ("P1Y2M3DT4H5M6.7S", "P-10M")
    assert found["c"]["spans"] + found["d"]["spans"] == ["P-1M3DT-4H-5M-6S", "PT-0.5S", "P178000000Y", "PT0S"]
    assert (found["a"]["clock"], found["b"]["clock"]) == ("24:00:00", "01:30:00")
    assert (found["a"]["spans"], found["b"]["spans"]) == (["P30D", "P1M"], ["P1Y-2DT25H30M0.5S"])
    with on_mariadb(maria) as source:
        filled(
            source,
            "clock time(3), tags set('z','a','m'), price float",
            "'a', 'A', now(), '25:30:00', 'm,a,z', 123456.78",
            "'b', 'B', now(), '-01:00:00', 'a', 1.1",
            "'c', 'C', now(), '-838:59:59.5', '', 16777217",
            "'d', 'D', now(), '01:30:00', null, -2.5e-7",
            key="id varchar(9) primary key",
        )
        found = payloads(source, clock="text", tags="json", price="numeric")
        as_text = payloads(source, tags="text")
    assert [found[key]["clock"] for key in "abcd"] == ["25:30:00", "-01:00:00", "-838:59:59.500000", "01:30:00"]
    assert [float(found[key]["price"]) for key in "abcd"] == [123456.78, 1.1, 16777216, -2.5e-7], "of single precision"
    assert [found[key]["tags"] for key in "abcd"] == [["z", "a", "m"], ["a"], [], None]
    assert as_text["a"]["tags"] == "z,a,m"


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("enum('z','a','m','B','q')", ["'z'", "'a'", "'m'", "'B'", "'q'"]),
        ("decimal(12,2)", ["0.50", "1.00", "1.5", "-2.25", "12345678.90"]),
        ("double precision", ["0.1", "1e16", "-3", "2.5e-7", "1234567.891"]),
        ("uuid", [f"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1{n}'" for n in range(5)]),
        ("int4range", ["'[1,5)'", "'[1,6)'", "'[0,9)'", "'empty'", "'[7,)'"]),
        ("domain numeric(9,2)", ["1.50", "0.5", "-1", "100", "2.25"]),
        ("inet6", ["'::1'", "'2001:db8::1'", "'2001:db8::2'", "'fe80::1'", "'::'"]),
        ("time", ["'25:30:00'", "'-01:00:00'", "'00:00:01'", "'01:00:00'", "'02:00:00'"]),
    ],
)
def test_a_key_of_any_type_that_has_an_order_is_read_whole(postgres: Postgres, maria: int, key: str, values: list[str]):
    for opened in (on_postgresql(postgres), on_mariadb(maria)):
        with opened as source:
            postgresql = source.name == "postgresql"
            if key in (("time", "inet6") if postgresql else ("int4range", "domain numeric(9,2)")):
                continue
            kind = key
            if postgresql and key.startswith(("enum", "domain")):
                kind = "kind"
                source.run(
                    f"create {'type' if key.startswith('enum') else 'domain'} kind as {key.removeprefix('domain ')}"
                )
            filled(source, "x int", *(f"{value}, 'A', now(), 1" for value in values), key=f"id {kind} primary key")
            of = system("klienci", cursor=None, rows=2)
            pages = source.pages(of)
            assert len(set(keys(pages))) == 5
            assert None not in keys(pages)
            for number, page in enumerate(pages[:-1]):
                assert keys(source.pages(of, token=page.token)) == keys(pages[number + 1 :])
            if key.startswith("decimal"):
                assert set(keys(pages)) == {"0.50", "1.00", "1.50", "-2.25", "12345678.90"}


def test_a_key_of_single_precision_is_refused_with_what_to_do(postgres: Postgres, maria: int):
    for opened, kind in ((on_postgresql(postgres), "real"), (on_mariadb(maria), "float")):
        with opened as source:
            filled(source, "x int", "0.1, 'A', now(), 1", key=f"id {kind} primary key")
            with pytest.raises(Fatal, match="single precision"):
                source.pages(system("klienci"))


def test_rows_with_one_key_are_never_torn_apart_by_a_page(postgres: Postgres, maria: int):
    """A view may give a key twice; the page after it begins behind all of them."""
    for opened in (on_postgresql(postgres), on_mariadb(maria)):
        with opened as source:
            rows = [f"'{key}', '{number}', '2026-03-01 08:00', 1" for number, key in enumerate("aabbbbccd")]
            filled(source, "x int", *rows, key="id varchar(9)")
            for size in (1, 2, 3):
                for cursor in ("zmieniono", None):
                    read = keys(source.pages(system("klienci", cursor=cursor, rows=size)))
                    assert sorted(read) == list("aabbbbccd"), (source.name, size, cursor)
