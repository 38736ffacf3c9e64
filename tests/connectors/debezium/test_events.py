"""Debezium's events as records: what its engine really wrote of every kind of change (changes.py)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from onefold.connectors.emptied import Emptied
from onefold.connectors.record import Record
from onefold.errors import Fatal
from tests.connectors.debezium.recorded import Event, Form, recorded, system, unwrapped

FORMS: tuple[Form, ...] = ("with_schema", "plain")


def content(record: Record | Emptied) -> dict[str, Any]:
    """The record's JSON, each number by its digits; what is null left out."""
    assert isinstance(record, Record)
    found = json.loads(record.payload, parse_float=str, parse_int=str)
    return {name: value for name, value in found.items() if value is not None}


def told(found: list[Record | Emptied]) -> list[str]:
    """What happened, in short."""
    return ["emptied" if isinstance(each, Emptied) else f"{'-' if each.deleted else '+'}{each.key}" for each in found]


@pytest.mark.parametrize("form", FORMS)
def test_every_change_is_told_in_its_order(form: Form) -> None:
    assert told(unwrapped(recorded(form, "types"), system("types"))) == [
        "+100", "+1", "+2", "+3", "+1", "+1", "+1", "+1", "-1", "+10", "+10", "-2", "+4", "-4", "+4", "+5", "+5",
    ]  # fmt: skip
    assert told(unwrapped(recorded(form, "whole"), system("whole"))) == [
        "+100", "+1", "+2", "+1", "-1", "+11", "-2", "+20", "+21", "emptied", "+22",
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("table", ["types", "whole", "keyed"])
def test_the_place_in_the_log_is_the_order_of_versions(form: Form, table: str) -> None:
    cursors = [
        each.cursor or "" for each in unwrapped(recorded(form, table), system(table)) if isinstance(each, Record)
    ]
    assert cursors == sorted(cursors)
    assert len({len(each) for each in cursors}) == 1
    assert len(set(cursors)) == len(cursors)


@pytest.mark.parametrize("form", FORMS)
def test_values_of_every_type_are_those_of_protocol_sql(form: Form) -> None:
    row = content(unwrapped(recorded(form, "types"), system("types"))[1])
    if form == "plain":  # without its schema, a time is a text as any other
        assert (row.pop("t"), row.pop("t0"), row.pop("iv")) == ("03:04:05.123456Z", "03:04:05Z", "P1Y0M2DT3H0M0S")
        assert (row.pop("nums"), row.pop("days")) == (["1.50", "-0.01"], ["2026-02-28Z"])
        assert row.pop("bits") == "rQ=="
    else:
        assert (row.pop("t"), row.pop("t0"), row.pop("iv")) == ("03:04:05.123456", "03:04:05", "31741200000000")
        assert (row.pop("nums"), row.pop("days")) == (["1.50", "-0.01"], ["2026-02-28"])
        assert row.pop("bits") == "000010101101"
    assert row == {
        "id": "1", "i2": "32767", "i8": "9223372036854775807", "f4": "1.5", "f8": "1.0E300",
        "n": "123456789.123456789", "n2": "1.10", "p": "1.250", "b": True, "c": "ab      ", "v": 'ż"\\', "tx": "text",
        "u": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "d": "2026-02-28", "tz": "01:04:05.5Z",
        "ts": "2026-03-29T02:30:00.500Z", "ts0": "2026-03-29T02:30:00.000Z", "tsz": "2026-10-25T00:30:00.123456Z",
        "j": {"a": "1.10"}, "jb": {"b": ["1", None]}, "by": "AP8=", "ints": ["1", "2", None],
        "bigs": ["9223372036854775807"], "texts": ["a", "b c", None],
        "uuids": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], "m": "sad", "r": "[1,5)", "ip": "10.0.0.1", "mo": "12.34",
        "bi": True, "h": {"a": "1"},
    }  # fmt: skip


def test_a_stamp_without_a_zone_is_by_the_clock_of_the_systems_zone() -> None:
    row = content(unwrapped(recorded("with_schema", "types"), system("types", zone="Europe/Warsaw"))[1])
    assert (row["ts"], row["tsz"]) == ("2026-03-29T01:30:00.500Z", "2026-10-25T00:30:00.123456Z")


@pytest.mark.parametrize("form", FORMS)
def test_values_that_no_date_or_number_can_hold_are_shown_as_what_they_are(form: Form) -> None:
    odd, early = (content(each) for each in unwrapped(recorded(form, "types"), system("types"))[2:4])
    assert (odd["f4"], odd["f8"], odd["tsz"]) == ("NaN", "-Infinity", "infinity")
    assert ("n" in odd) == (form == "plain")  # with decimals as bytes, the engine itself writes null
    assert odd.get("n", "NaN") == "NaN"
    assert not {"j", "jb"} & odd.keys(), "a JSON null is null"
    assert early["tsz"] == "-0043-03-15T00:00:00.000000Z"
    assert (early["n"], early["n2"], early["p"]) == ("0.00000001", "-0.01", "-5.000")
    assert not early["d"][:4].isdecimal() or early["d"].endswith("from 1970")


@pytest.mark.parametrize("form", FORMS)
def test_a_large_value_that_did_not_change_is_named_and_its_placeholder_is_nowhere(form: Form) -> None:
    found = unwrapped(recorded(form, "types"), system("types"))
    large, first, second, short = found[4:8]
    named = {"tx", "j", "jb", "by", "ints", "bigs", "texts", "uuids", "h"} | ({"n"} if form == "plain" else {"days"})
    for record, unchanged in ((large, set()), (first, named), (second, named), (short, named - {"tx"})):
        row = content(record)
        assert set(row.get("_unchanged", [])) == unchanged
        assert not unchanged & row.keys()
        assert isinstance(record, Record) and b"unavailable" not in record.payload
    assert content(short)["tx"] == "short"


def test_with_the_whole_row_in_the_log_nothing_is_left_out_also_where_the_key_changed() -> None:
    found = unwrapped(recorded("with_schema", "whole"), system("whole"))
    changed, gone, moved = (content(each) for each in found[3:6])
    assert changed == {"id": "1", "note": "note " * 1000, "amount": "-2.25"}
    assert gone == {"id": "1"}
    assert moved == {**changed, "id": "11"}


@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_written_as_its_columns_are(form: Form) -> None:
    assert told(unwrapped(recorded(form, "keyed"), system("keyed"))) == [
        '+["2026-02-28","1.50"]', '+["2026-03-01","-2.50"]', '+["2026-02-28","1.50"]', '-["2026-02-28","1.50"]',
        '+["2026-02-28","3.50"]', '-["2026-03-01","-2.50"]',
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_tombstone_alone_deletes_its_key_after_what_was_read_before(form: Form) -> None:
    events = recorded(form, "keyed")
    alone = [event for event in events if event[1] is None]
    found = unwrapped(alone, system("keyed"))
    assert told(found) == ['-["2026-02-28","1.50"]', '-["2026-03-01","-2.50"]']
    assert [each.cursor for each in found if isinstance(each, Record)] == [None, None]


def test_a_delete_that_says_nothing_of_the_row_has_its_key_from_the_message() -> None:
    events = [(key, stripped(body)) for key, body in recorded("with_schema", "keyed") if body and b'"op":"d"' in body]
    assert told(unwrapped(events, system("keyed"))) == ['-["2026-02-28","1.50"]', '-["2026-03-01","-2.50"]']


def stripped(body: bytes) -> bytes:
    event = json.loads(body)
    event["payload"]["before"] = None
    return json.dumps(event).encode()


def test_decimals_and_times_that_cannot_be_told_are_refused_with_what_to_set() -> None:
    events = recorded("undecodable", "whole")
    with pytest.raises(Fatal, match=r"decimals are bytes without their scale.*decimal\.handling\.mode=string"):
        unwrapped(events, system("whole"))
    times = [event for event in recorded("undecodable", "types") if event[1]]
    fields = {"id": "integer", "ts": {"type": "timestamp", "required": False}}
    with pytest.raises(Fatal, match=r"times are numbers without their unit.*time\.precision\.mode=isostring"):
        unwrapped(times, system("types", fields=fields))


@pytest.mark.parametrize("event", [(b"\0\0\0\0\x07abc", None), (None, b"\0\0\0\0\x07abc")])
def test_messages_of_a_schema_registry_are_refused(event: tuple[bytes | None, bytes | None]) -> None:
    with pytest.raises(Fatal, match=r"schema 7; Avro.*JsonConverter"):
        unwrapped([event], system("whole"))


def test_an_event_without_a_known_order_is_refused() -> None:
    body = b'{"op": "c", "before": null, "after": {"id": 1}, "source": {"connector": "%b"}}'
    with pytest.raises(Fatal, match="connector spanner cannot be ordered here; there are mariadb, mysql"):
        unwrapped([(None, body % b"spanner")], system("whole"))
    with pytest.raises(Fatal, match="connector mysql does not say where in the log it stands"):
        unwrapped([(None, body % b"mysql")], system("whole"))


BAD = (
    b"", b"no JSON", b"[]", b"17", b"{}", b'{"op": "c"}', b"\xff\xfe", b'{"op": 5, "source": {}}', b'{"payload": 1}',
    b'{"schema":{"fields":5},"payload":{"op":"c","after":{"id":1},"source":{"connector":"mysql","file":"b.1","pos":4}}}',
)  # fmt: skip


def test_what_is_no_event_waits_in_quarantine_and_its_neighbours_come_through() -> None:
    good = recorded("plain", "whole")[:2]
    events: list[Event] = [good[0], *((None, body) for body in BAD), good[1]]
    found = unwrapped(events, system("whole"))
    assert told(found) == ["+100", *["+None"] * len(BAD), "+1"]
    assert [each.payload for each in found[1:-1] if isinstance(each, Record)] == list(BAD)


def test_a_value_that_is_not_as_its_schema_says_waits_in_quarantine() -> None:
    (_, body), *_ = recorded("with_schema", "whole")
    assert body
    event = json.loads(body)
    event["payload"]["after"]["amount"] = "no base64!"
    assert told(unwrapped([(None, json.dumps(event).encode())], system("whole"))) == ["+None"]


def binlog(file: str, pos: int, row: int, connector: str = "mysql") -> bytes:
    source = {"connector": connector, "file": file, "pos": pos, "row": row, "ts_ms": 5}
    return msgspec.json.encode({"op": "u", "before": None, "after": {"id": 1}, "source": source})


@pytest.mark.parametrize("connector", ["mysql", "mariadb"])
def test_events_of_a_binlog_are_ordered_by_file_position_and_row(connector: str) -> None:
    places = [("bin.000009", 4, 0), ("bin.000009", 400, 0), ("bin.000009", 400, 1), ("bin.000010", 4, 0)]
    found = unwrapped([(None, binlog(*place, connector)) for place in places], system("whole"))
    cursors = [each.cursor or "" for each in found if isinstance(each, Record)]
    assert cursors == sorted(set(cursors))


def test_events_of_sql_server_are_ordered_by_commit_and_change() -> None:
    first, second, third = "00000027:00000ac0:0002", "00000027:00000ac0:0003", "0000002a:00000001:0001"
    bodies = []
    for commit, change, number in ((first, None, None), (second, first, 1), (second, first, 2), (third, first, 1)):
        source = {"connector": "sqlserver", "commit_lsn": commit, "change_lsn": change, "event_serial_no": number}
        bodies.append(msgspec.json.encode({"op": "u", "after": {"id": 1}, "source": source}))
    found = unwrapped([(None, body) for body in bodies], system("whole"))
    cursors = [each.cursor or "" for each in found if isinstance(each, Record)]
    assert cursors == sorted(set(cursors))


@pytest.mark.parametrize(("own", "value"), [("records", "after"), ("cursor", {"fields": ["id"], "kind": "integer"})])
def test_a_stream_of_events_has_its_order_and_its_records_from_them(own: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"take {own} out"):
        system("whole", **{own: value})
