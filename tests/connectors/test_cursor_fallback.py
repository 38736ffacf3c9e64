"""Partners that were never changed: SAP dates their creation only, and they are read and ordered by that."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from onefold.catalog.reader import read_systems
from onefold.catalog.system import System
from onefold.connectors.odata.reader import query
from onefold.connectors.records import Head
from onefold.connectors.window import Window

PARTNER = read_systems()["sap"].streams["business_partner"]
CREATED = {"CreationDate": "/Date(1492041600000)/", "CreationTime": "PT10H00M00S"}
NEVER = {"LastChangeDate": None, "LastChangeTime": "PT00H00M00S"}
CHANGED = {"LastChangeDate": "/Date(1767225600000)/", "LastChangeTime": "PT01H02M03S"}


@pytest.mark.parametrize(
    ("stamps", "cursor"),
    [
        (CREATED | NEVER, "2017-04-13T10:00:00.000000Z"),
        (CREATED | CHANGED, "2026-01-01T01:02:03.000000Z"),
        (CREATED, "2017-04-13T10:00:00.000000Z"),
        ({}, None),
    ],
)
def test_what_was_never_changed_counts_by_its_creation(stamps: dict[str, object], cursor: str | None) -> None:
    record = Head("sap.business_partner", PARTNER).record(json.dumps({"BusinessPartner": "1000021"} | stamps).encode())
    assert (record.key, record.cursor) == ("1000021", cursor)


def test_a_window_asks_for_what_was_created_in_it_and_never_changed() -> None:
    window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    days = "ge datetime'2026-01-01T00:00:00' and {0} le datetime'2026-01-02T00:00:00'"
    assert query(PARTNER, window, 2)["$filter"] == (
        f"(LastChangeDate {days.format('LastChangeDate')})"
        f" or (LastChangeDate eq null and CreationDate {days.format('CreationDate')})"
    )


def test_a_protocol_that_does_not_ask_for_it_refuses_a_fallback() -> None:
    stream = {"title": "t", "primary_key": ["id"], "fields": {"id": "text", "at": "timestamp", "made": "timestamp"}}
    cursor = {"fields": ["at"], "fallback": ["made"]}
    given = {"system": "s", "title": "t", "connection": "s", "schedule": "@daily", "protocol": "rest"}
    with pytest.raises(ValueError, match=r"cursor\.fallback of thing: only protocol odata asks for it"):
        System.model_validate(given | {"streams": {"thing": stream | {"cursor": cursor}}})
