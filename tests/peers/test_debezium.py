"""Debezium's engine as a judge: what it says of a PostgreSQL's log, and what protocol cdc says of the same changes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from onefold.catalog.system import System
from onefold.connectors.emptied import Emptied
from onefold.connectors.record import Record
from onefold.connectors.window import Window
from onefold.load.usage import Usage
from tests.connectors.cdc.postgres.conftest import Log
from tests.connectors.debezium import workload
from tests.connectors.debezium.changes import BEFORE, CHANGES, SETUP
from tests.connectors.debezium.recorded import FORMS, TYPES, Form, events_of, recorded, system, unwrapped
from tests.effort import TORTURE
from tests.peers.debezium_engine import Engine

pytestmark = pytest.mark.peers
CHANGES_TO_COMPARE = 100_000 if TORTURE else 10_000
FINISH = "insert into finish values (1)"
COMPARED = {*TYPES, "_unchanged"}


def without_order(found: Iterable[Record | Emptied]) -> list[tuple[str | None, bool, bytes] | Emptied]:
    return [each if isinstance(each, Emptied) else (each.key, each.deleted, each.payload) for each in found]


@pytest.mark.parametrize("form", FORMS)
def test_the_recorded_events_say_what_the_engine_says_today(
    log: Log, engine: Engine, tmp_path: Path, form: Form
) -> None:
    log.run(*SETUP, *BEFORE)
    events = tmp_path / "events.ndjson"
    engine.record(log.server, log.name, events, lambda: log.run(*CHANGES, FINISH), **FORMS[form])
    for table in ("types", "whole", "keyed"):
        today, kept = list(events_of(events.read_bytes().splitlines(), table)), recorded(form, table)
        assert len(today) == len(kept)
        if form != "undecodable":
            assert without_order(unwrapped(today, system(table))) == without_order(unwrapped(kept, system(table)))


OTHERWISE = {"c", "tz", "iv", "mo", "bi", "h"}
"""Columns of types that Debezium writes in another way (docs/debezium.md)."""


@pytest.mark.timeout(3600)
def test_every_change_is_told_as_debezium_and_the_sources_triggers_tell_it_in_the_same_order(
    log: Log, engine: Engine, tmp_path: Path
) -> None:
    of_types = reading("cdc", "types", "id")
    url = log.server.url(log.name)
    log.run(*SETUP, "alter table types owner to log_reader")
    log.load(of_types)
    ((before,),) = log.query("select checkpoint from ops.stream_checkpoint")
    workload.keep_states(url)
    log.run("grant select on states to log_reader")
    events, began = tmp_path / "events.ndjson", time.monotonic()

    def change() -> None:
        workload.change(url, CHANGES_TO_COMPARE, seed=7)
        log.run(FINISH)

    only = {"table.include.list": "public.types,public.finish", "publication.autocreate.mode": "filtered"}
    engine.record(log.server, log.name, events, change, **FORMS["with_schema"], **only)
    ours = read(log, of_types, before)
    with events.open("rb") as lines:
        theirs = [each for each in unwrapped(events_of(lines, "types"), system("types")) if isinstance(each, Record)]
    assert len(ours) == len(theirs) > CHANGES_TO_COMPARE
    for our, their in zip(ours, theirs, strict=True):
        assert told(our) == told(their)
    of_states = read(log, reading("sql", "states", "number", gone="integer"), None)
    assert states(ours) == states_by_trigger(of_states)
    log.load(of_types)
    assert sorted(map(int, log.published())) == [key for (key,) in log.ask("select id from types order by id")]
    print(f"{len(ours):,} changes told three times the same after {time.monotonic() - began:.0f} s")


def reading(protocol: str, table: str, key: str, **more: str) -> System:
    """A system whose stream `order` is a table with the columns of `types`."""
    types = {key: "integer", **TYPES, "mo": "text", "bi": "text", **more}
    stream = {
        "title": "Rows",
        "request": {"table": table},
        "primary_key": [key],
        "fields": {name: {"type": kind, "required": False} for name, kind in types.items()},
        "deletes": {"max_share": 1},
    }
    head = {"system": "test_log", "title": "Log", "protocol": protocol, "connection": "t", "schedule": "0 * * * *"}
    limits = {"rate": ["100000/s"], "timeout": "PT60S"}
    return System.model_validate({**head, "limits": limits, "streams": {"order": stream}})


def read(log: Log, system: System, checkpoint: str | None) -> list[Record]:
    """What the connector reads after a position, without a load."""
    now = datetime.now(UTC)
    window = Window(now - timedelta(days=1), now, {} if checkpoint is None else {"": checkpoint})
    with log.job(system).source("order", Usage()) as pages:
        return [record for page in pages(window, None) for record in page.records]


def content(record: Record) -> dict[str, object]:
    """What is in a record, numbers by their value; of a deleted one, nothing."""
    if record.deleted:
        return {}
    return json.loads(record.payload, parse_float=Decimal, parse_int=Decimal)


def told(record: Record) -> tuple[str | None, bool, dict[str, object]]:
    found = {name: value for name, value in content(record).items() if name not in OTHERWISE and name in COMPARED}
    return record.key, record.deleted, found | {"_unchanged": set(content(record).get("_unchanged", ()))}


def states(records: Iterable[Record]) -> dict[str | None, list[dict[str, object]]]:
    """By key, the states that the row had one after the other, {} where it went; each with its large values."""
    found: dict[str | None, list[dict[str, object]]] = {}
    for record in records:
        had = found.setdefault(record.key, [])
        state = content(record)
        for name in state.pop("_unchanged", ()):
            state[name] = had[-1][name]
        had.append(state)
    return found


def states_by_trigger(records: Iterable[Record]) -> dict[str | None, list[dict[str, object]]]:
    found: dict[str | None, list[dict[str, object]]] = {}
    for record in records:
        state = content(record)
        key, gone = state["id"], state.pop("gone")
        del state["number"]
        if gone != -1:
            found.setdefault(str(key), []).append({} if gone is not None else state)
    return found
