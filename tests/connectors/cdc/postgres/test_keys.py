"""Keys that are made of the log's values are those that are found in the records' JSON."""

from __future__ import annotations

import uuid
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.connectors.cdc.postgres.pgoutput import UNCHANGED, Relation, RowChange, Value
from onefold.connectors.cdc.postgres.rows import LogRows
from onefold.connectors.cdc.postgres.values import Write, writer
from onefold.connectors.records import Head
from onefold.platform.postgres import Postgres
from tests.connectors.cdc.loaded_log import orders

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
VALUES = {
    21: st.integers(-(2**15), 2**15 - 1).map(str),
    23: st.integers(-(2**31), 2**31 - 1).map(str),
    20: st.integers(-(2**63), 2**63 - 1).map(str),
    25: TEXTS,
    1043: TEXTS,
    2950: st.builds(uuid.uuid4).map(str),
    1700: st.decimals(allow_infinity=False, places=2).map(str),  # read in the JSON, as every type that is not above
    16: st.sampled_from("tf"),
}
KEYS: st.SearchStrategy[tuple[int, Value]] = st.sampled_from(sorted(VALUES)).flatmap(
    lambda oid: st.tuples(
        st.just(oid), st.one_of(st.just(b""), st.none(), st.just(UNCHANGED), VALUES[oid].map(str.encode))
        if oid in (25, 1043)
        else st.one_of(st.none(), VALUES[oid].map(str.encode)),
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def writers(log_server: Postgres) -> dict[int, Write]:
    with psycopg.connect(log_server.url()) as connection:
        return {oid: writer(connection, oid, None, ZoneInfo("UTC")) for oid in VALUES}


@settings(deadline=None)
@given(key=KEYS, path=st.sampled_from(["id", "$.id", "nested.id"]), deleted=st.booleans(), identity=st.booleans())
def test_a_key_made_of_the_logs_value_is_the_one_in_the_records_json(
    writers: dict[int, Write], key: tuple[int, Value], path: str, deleted: bool, identity: bool
) -> None:
    oid, value = key
    system = orders(fields={"id": {"type": "text", "path": path}})
    stream = system.streams["order"]
    relation = Relation(1, (("name", 25), ("id", oid)), frozenset({1} if identity else {0}))
    rows = LogRows(relation, stream, "test_log.order", lambda _, kind: writers[kind], lambda *_: {})
    row: list[Value] = [b"Name", value]
    (record,) = rows.records(RowChange(1, None if deleted else row, row if deleted else None), lambda: "1")
    assert record.key == Head("test_log.order", stream).record(record.payload).key
