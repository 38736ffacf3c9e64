"""A page's JSON becomes records: payload untouched, key and cursor canonical, damage told apart from contract."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.catalog.stream import Stream
from onefold.connectors import records
from onefold.connectors.cursor import canonical
from onefold.connectors.delta import RoundReader
from onefold.connectors.record import Record
from onefold.connectors.records import Splitter, dotted, next_page_of
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response


def stream(**changes: object) -> Stream:
    given = {
        "title": "Items",
        "records": "data.items",
        "primary_key": ["id"],
        "cursor": {"fields": ["changed"]},
        "deletes": {"flag": {"field": "gone"}},
        "fields": {"id": "text", "changed": "timestamp", "gone": "boolean", "name": "text"},
    }
    return Stream.model_validate(given | changes)


def split(body: object, **changes: object) -> list[Record]:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    each = stream(**changes)
    return Splitter("shop.item", each, dotted(each.records), ("next",))(Response(200, {}, raw)).records


def one(item: object, **changes: object) -> Record:
    return split({"data": {"items": [item]}}, **changes)[0]


GOOD = {"id": "7", "changed": "2026-01-02T03:04:05Z", "gone": False, "name": "Łódź"}


def test_the_payload_is_the_bytes_as_received() -> None:
    raw = b'{"id" :"7",  "amount":12345678901234567890.10, "changed":"2026-01-02T03:04:05Z","x":null}'
    assert split(b'{"data":{"items":[' + raw + b"]}}")[0].payload == raw


def test_null_missing_and_empty_keys_reach_the_quarantine_as_no_key() -> None:
    for item in ({**GOOD, "id": None}, {k: v for k, v in GOOD.items() if k != "id"}, {**GOOD, "id": ""}):
        record = one(item)
        assert record.key is None
        assert record.cursor is not None
        assert json.loads(record.payload) == item


@pytest.mark.parametrize("item", [None, "text", 5, [1], {**GOOD, "id": {"a": 1}}, {**GOOD, "id": True}])
def test_a_record_of_another_shape_has_no_key_and_spoils_no_other(item: object) -> None:
    records = split({"data": {"items": [item, GOOD]}})
    assert records[0].key is None
    assert records[1].key == "7"


@pytest.mark.parametrize(
    ("limit", "error", "said"), [("PARTS", BadBody, "more than 50 parts"), ("RECORDS", Fatal, "a page has 60 records")]
)
def test_a_page_of_more_than_can_be_held_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch, limit: str, error: type[Exception], said: str
) -> None:
    monkeypatch.setattr(records, limit, 50)
    with pytest.raises(error, match=said):
        split({"data": {"items": [0] * 60}})


def test_half_a_surrogate_pair_spoils_no_other_record_and_is_kept_as_it_came() -> None:
    bad = rb'{"id":"7","name":"a\u0000b \ud800 \ud83d\ude00"}'
    records = split(b'{"data":{"items":[' + bad + b"," + json.dumps({**GOOD, "id": "8"}).encode() + b"]}}")
    assert [record.key for record in records] == ["7", "8"]
    assert rb"a\u0000b \ud800 \ud83d\ude00" in records[0].payload


DIGITS = [
    b'{"id":1234567890123456.78,"x":1.10}',
    b'{"id":"7","x":[1234567890123456.78,[1e400,-0.0,1E+05,0.10,123456789012345678901234567890]]}',
    b'{"id":123456789012345678901234567890, "x" : {"a":-0}}',
    b'{"id":12345678901234567890.10}',
    b'{"id":"9","x":' + b"9" * 5000 + b"}",
]


@pytest.mark.parametrize(
    "spoiled",
    [b"NaN", b"Infinity", b"[1,[-Infinity,1234567890123456.78]]", rb'{"a":["\ud800",0.10]}', b"[" * 3000 + b"]" * 3000],
    ids=["NaN", "Infinity", "nested list", "half a pair", "deep"],
)
@pytest.mark.parametrize("first", [True, False])
def test_digits_stay_as_they_were_sent_beside_a_record_that_is_no_json(spoiled: bytes, first: bool) -> None:
    bad = b'{"id":"bad","x":' + spoiled + b',"y":1234567890123456.78}'
    raws = [bad, *DIGITS] if first else [*DIGITS, bad]
    records = split(b'{"next":"b","data":{"items":[' + b", ".join(raws) + b"]}}")
    assert [record.payload for record in records] == raws
    keys = ["1234567890123456.78", "7", "123456789012345678901234567890", "12345678901234567890.10", "9"]
    bad_key = None if spoiled.startswith(b"[[[") else "bad"
    assert [record.key for record in records] == ([bad_key, *keys] if first else [*keys, bad_key])


@pytest.mark.parametrize("spoiled", [b"NaN", b"[" * 3000 + b"]" * 3000, b"9" * 5000])
@pytest.mark.parametrize("end", [b'"@odata.nextLink":"https://x/2"', b'"@odata.deltaLink":"https://x/3"'])
def test_a_record_of_a_round_that_is_no_json_spoils_no_other_and_not_how_the_round_goes_on(spoiled: bytes, end: bytes):
    read = RoundReader("mail.message", stream())
    page = read(
        b'{"value":[{"id":"1","x":' + spoiled + b'},{"id":"2","@removed":{}},{"root":{},"id":"3"}],' + end + b"}"
    )
    assert [(record.key, record.deleted) for record in page.records][1:] == [("2", True)]
    assert spoiled in page.records[0].payload
    assert (page.next, page.link) == (("https://x/2", None) if b"next" in end else (None, "https://x/3"))


def test_a_key_of_too_many_digits_spoils_no_other_record() -> None:
    records = split(b'{"data":{"items":[{"id":' + b"9" * 5000 + b'},{"id":"8"}]}}')
    assert [record.key for record in records] == ["9" * 5000, "8"]  # landing sets it aside: longer than a key may be


@pytest.mark.parametrize("spoiled", [b"NaN", b"[" * 3000 + b"]" * 3000])
def test_a_body_cut_behind_a_record_that_is_no_json_is_worth_another_try(spoiled: bytes) -> None:
    whole = b'{"data":{"items":[{"id":"1","x":' + spoiled + b'},{"id":"2"}]}}'
    for end in range(len(whole) - 12, len(whole)):
        with pytest.raises(BadBody):
            split(whole[:end])


def test_numbers_and_several_fields_make_a_key() -> None:
    assert one({**GOOD, "id": 42}).key == "42"
    keys = {
        one({**GOOD, "id": first, "name": second}, primary_key=["id", "name"]).key
        for first, second in (("a", "b,c"), ("a,b", "c"), ('a"', "b"))
    }
    assert len(keys) == 3


def test_leading_zeros_of_a_key_stay() -> None:
    assert one({**GOOD, "id": "0000100042"}).key == "0000100042"


def test_a_deleted_record_shows() -> None:
    assert one({**GOOD, "gone": True}).deleted is True
    assert one({**GOOD, "gone": "true"}).deleted is False
    archived = one({**GOOD, "gone": "X"}, deletes={"flag": {"field": "gone", "equals": "X"}})
    assert archived.deleted is True


def test_key_and_cursor_may_lie_deep() -> None:
    fields = {
        "id": {"path": "head.number"},
        "changed": {"path": "head.log.at", "type": "timestamp"},
        "gone": "boolean",
    }
    record = one({"head": {"number": "9", "log": {"at": "2026-01-02T03:04:05Z"}}}, fields=fields)
    assert (record.key, record.cursor) == ("9", "2026-01-02T03:04:05.000000Z")
    shallow = one({"head": "changed shape"}, fields=fields)
    assert (shallow.key, shallow.cursor) == (None, None)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T04:04:05.5+01:00", "2026-01-02T03:04:05.500000Z"),
        ("2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.123456Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02", "2026-01-02T00:00:00.000000Z"),
        ("/Date(1767323045000)/", "2026-01-02T03:04:05.000000Z"),
        ("/Date(1767323045123+0060)/", "2026-01-02T03:04:05.123000Z"),
        ("/Date(-1000)/", "1969-12-31T23:59:59.000000Z"),
    ],
)
def test_timestamps_of_all_kinds_have_one_text(text: str, meant: str) -> None:
    assert one({**GOOD, "changed": text}).cursor == meant


@pytest.mark.parametrize("value", ["", "02.01.2026", "yesterday", 1767323045, None, {"a": 1}, "/Date()/"])
def test_an_unreadable_cursor_is_left_to_the_gate(value: object) -> None:
    record = one({**GOOD, "changed": value})
    assert record.cursor is None
    assert record.key == "7"


def test_a_date_and_a_time_make_one_cursor() -> None:
    both = ["/Date(1767312000000)/", "PT03H04M05S"]
    assert canonical("date_and_time", both) == "2026-01-02T03:04:05.000000Z"
    assert canonical("date_and_time", ["2026-01-02", "03:04:05"]) == "2026-01-02T03:04:05.000000Z"
    assert canonical("date_and_time", ["/Date(1767312000000)/", "PT0S"]) == "2026-01-02T00:00:00.000000Z"
    for bad in (None, "", "PT", "PT25H00M00S", "3 o'clock"):
        assert canonical("date_and_time", ["/Date(1767312000000)/", bad]) is None
    assert canonical("date_and_time", [None, "PT03H04M05S"]) is None


@given(st.integers(0, 10**20 - 1), st.integers(0, 10**20 - 1))
def test_integer_cursors_sort_as_integers(left: int, right: int) -> None:
    one_text, other_text = canonical("integer", [left]), canonical("integer", [str(right)])
    assert one_text is not None
    assert other_text is not None
    assert (one_text < other_text) == (left < right)


@given(st.datetimes(), st.datetimes())
def test_timestamp_cursors_sort_as_instants(left: object, right: object) -> None:
    one_text = canonical("timestamp", [left.isoformat()])
    other_text = canonical("timestamp", [right.isoformat()])
    assert (one_text < other_text) == (left < right)


def test_a_byte_order_mark_does_no_harm() -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"data": {"items": [GOOD]}}).encode()
    assert split(body)[0].key == "7"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"<!DOCTYPE html><html>maintenance</html>",
        b'{"data": {"items": [{"id": "1"',
        b'{"data": {"items": []}} trailing',
        b'{"data": {"items": [{"id": "\xff\xfe"}]}}',
        b'{"error": {"code": "SY/530", "message": "Jan"}}',
        b'[{"errorCode": "X", "message": "y"}]',
    ],
)
def test_damage_and_errors_with_200_are_worth_another_try(body: bytes) -> None:
    with pytest.raises(BadBody) as error:
        split(body)
    assert "Jan" not in str(error.value)


@pytest.mark.parametrize("body", [{"data": {"rows": []}}, {"data": {"items": None}}, {"data": {"items": {}}}, []])
def test_a_list_that_is_not_where_it_was_is_a_changed_contract(body: object) -> None:
    with pytest.raises(Fatal, match=r"shop\.item.*data\.items"):
        split(body)


def test_a_changed_contract_names_the_keys_that_stood_there_and_no_value() -> None:
    with pytest.raises(Fatal) as error:
        split({"entries": ["Jan Kowalski"], "total": 1})
    assert "entries, total" in str(error.value)
    assert "Kowalski" not in str(error.value)


def test_a_key_with_an_sql_json_filter_is_refused_with_a_remedy() -> None:
    fields = {"id": {"path": "$.ids[*] ? (@.t == 1).v"}, "changed": "timestamp", "gone": "boolean"}
    with pytest.raises(Fatal, match="plain names"):
        one(GOOD, fields=fields)


@pytest.mark.parametrize(
    ("said", "following"), [(5, "5"), ("5", "5"), (True, True), (False, None), (0, None), ("", None), (None, None)]
)
def test_a_token_of_the_next_page_may_be_a_number_and_no_page_is_lost(said: object, following: object) -> None:
    assert next_page_of(said) == following
