"""Lineage: valid against the public specification, committed with the load, sent on at least once."""

from __future__ import annotations

import itertools
import json
import logging
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import itemgetter
from pathlib import Path

import psycopg
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from onefold.audit import AuditEvent, append
from onefold.errors import Fatal, Rejected
from onefold.lineage import (
    Check,
    DatasetRef,
    Field,
    Job,
    Source,
    assertions,
    column_lineage,
    dataset_version,
    deliver,
    emit,
    error_message,
    external,
    input_statistics,
    nominal_time,
    output_statistics,
    parent_run,
    processing_engine,
    quality_metrics,
    relay,
    run_event,
    schema,
    source_dataset,
    task_run_id,
    warehouse_dataset,
)
from tests.http.web_server import Say, serving

SPEC = Path(__file__).parent / "openlineage"
SCHEMAS = {s["$id"]: s for s in (json.loads(p.read_text("utf-8")) for p in SPEC.rglob("*.json"))}
REGISTRY = Registry().with_resources((i, Resource.from_contents(s)) for i, s in SCHEMAS.items())
EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
DAY = datetime(2026, 1, 1, tzinfo=UTC)
RUN = task_run_id("sync__crm", "manual__1", "account.load")
JOB = Job("sync__crm.account.load")


@pytest.fixture(autouse=True)
def no_receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The client reads (and writes) the environment: each test begins and ends without any of its settings."""
    import os

    for key in [k for k in os.environ if k.startswith("OPENLINEAGE")]:
        monkeypatch.delenv(key)
    yield
    for key in [k for k in os.environ if k.startswith("OPENLINEAGE")]:
        monkeypatch.delenv(key)


def full_event(conn: psycopg.Connection, kind: str = "COMPLETE"):
    source = source_dataset("crm", "account", "https://user:secret@crm.example:8443/services?q=1")
    target = warehouse_dataset(conn, "staging.crm__account")
    error = [error_message(Rejected("Gate failed for jan@example.pl"))] if kind == "FAIL" else []
    return run_event(
        kind,
        JOB,
        RUN,
        inputs=[
            source.having(
                schema([Field("Id", "text"), Field("Name", "text", "legal name")]),
                input_statistics(rows=3, size=120),
                quality_metrics(3, {"Name": 1}),
                assertions([Check("not_null", False, "Name"), Check("row_count", True)]),
            )
        ],
        outputs=[
            target.having(
                schema([Field("name", "text")]),
                dataset_version(7),
                output_statistics(rows=2),
                column_lineage({"name": [Source(source, "Name", "trimmed"), Source(source, "Id", "as it is", True)]}),
            )
        ],
        facets=[
            nominal_time(DAY, DAY.replace(day=2)),
            parent_run(uuid.uuid4(), Job("sync__crm")),
            processing_engine("onefold", "0.1.0"),
            *error,
        ],
    )


def problems(event: dict) -> list[str]:
    """Everything in the event that the public specification, facets included, does not allow."""

    def against(schema_id: str, value: object) -> list[str]:
        validator = Draft202012Validator(
            SCHEMAS[schema_id], registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        return [f"{schema_id}: {e.message}" for e in validator.iter_errors(value)]

    found = against(EVENT_SCHEMA, event)
    holders = [event["run"], event["job"], *event.get("inputs", []), *event.get("outputs", [])]
    for holder in holders:
        for place in ("facets", "inputFacets", "outputFacets"):
            for key, facet in holder.get(place, {}).items():
                schema_id = facet["_schemaURL"].partition("#")[0]
                if key not in SCHEMAS[schema_id]["properties"]:
                    found.append(f"{key} is not where {schema_id} stands")
                found += against(schema_id, {key: facet})
    return found


@pytest.mark.parametrize("kind", ["START", "RUNNING", "COMPLETE", "FAIL", "ABORT"])
def test_every_event_is_valid_against_the_public_spec(loader: psycopg.Connection, kind: str) -> None:
    emit(loader, full_event(loader, kind), load_id=7)
    emit(loader, run_event(kind, JOB, RUN))
    for (event,) in loader.execute("select event from lineage.event").fetchall():
        assert problems(event) == []
        assert event["schemaURL"] == f"{EVENT_SCHEMA}#/$defs/RunEvent"
        assert event["producer"].startswith("urn:onefold:")
    event = loader.execute("select event from lineage.event order by event_id limit 1").fetchone()[0]
    event["outputs"][0]["facets"]["columnLineage"].pop("fields")
    assert problems(event), "the check itself must see a broken facet"


def test_events_commit_with_the_load_or_not_at_all(loader: psycopg.Connection) -> None:
    def publish() -> None:
        emit(loader, full_event(loader), load_id=7)
        append(loader, AuditEvent("os:x", "load.publish", "load:7"))

    def counts() -> tuple[int, ...]:
        tables = ("lineage.event", "lineage.dataset_edge", "lineage.column_edge", "audit.event")
        return tuple(loader.execute(f"select count(*) from {t}").fetchone()[0] for t in tables)  # noqa: S608  fixed names

    with pytest.raises(ZeroDivisionError), loader.transaction():
        publish()
        raise ZeroDivisionError
    assert counts() == (0, 0, 0, 0)
    with loader.transaction():
        publish()
    assert counts() == (1, 1, 2, 1)


def test_a_completed_run_leaves_its_edges_and_a_failed_one_none(loader: psycopg.Connection) -> None:
    emit(loader, full_event(loader, "FAIL"), load_id=7)
    assert loader.execute("select * from lineage.dataset_edge").fetchall() == []
    emit(loader, full_event(loader), load_id=7)
    info = loader.info
    target = f"postgres://{info.host}:{info.port}/{info.dbname}.staging.crm__account"
    assert loader.execute("select * from lineage.dataset_edge").fetchall() == [
        (RUN, "https://crm.example:8443/crm.account", target, 7)
    ]
    assert loader.execute(
        "select output_column, input_field, transformation from lineage.column_edge order by input_field"
    ).fetchall() == [("name", "Id", "as it is"), ("name", "Name", "trimmed")]


def test_the_clients_own_switches_never_stop_the_warehouses_record(
    loader: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:1")
    emit(loader, full_event(loader))
    assert loader.execute("select count(*) from lineage.event").fetchone() == (1,)
    assert external() is None


class Receiver(BaseHTTPRequestHandler):
    """Takes OpenLineage events like Marquez; answers with the status that the server was told."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 201:
            self.server.events.append(json.loads(body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.events, server.status = [], 201
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_failed_delivery_is_retried_and_never_fails_the_load(
    loader: psycopg.Connection, receiver: ThreadingHTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    for kind in ("START", "COMPLETE"):
        emit(loader, full_event(loader, kind))
    receiver.status = 400
    with caplog.at_level(logging.WARNING):
        assert deliver(loader).failed
    assert "was not delivered (HTTPError, 400)" in caplog.text
    receiver.status = 201
    result = deliver(loader)
    assert (result.delivered, result.failed) == (2, False)
    assert deliver(loader).delivered == 0
    stored = [r[0] for r in loader.execute("select event from lineage.event").fetchall()]
    in_order = itemgetter("eventType")
    assert sorted(receiver.events, key=in_order) == sorted(stored, key=in_order)
    assert loader.execute("select count(*) from lineage.event where delivered_at is null").fetchone() == (0,)


def test_a_receiver_that_answers_a_byte_at_a_time_keeps_no_load_waiting(
    loader: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "EVENT_SECONDS", 0.3, raising=False)
    emit(loader, full_event(loader))
    with serving() as web:
        web.script(Say(raw=itertools.repeat(b"H", 100), drip=0.05))
        monkeypatch.setenv("OPENLINEAGE_URL", web.url)
        began = time.monotonic()
        assert deliver(loader).failed
    assert time.monotonic() - began < 3


def test_one_event_that_the_receiver_refuses_blocks_no_other(
    loader: psycopg.Connection, receiver: ThreadingHTTPServer
) -> None:
    emit(loader, full_event(loader))
    receiver.status = 400
    assert deliver(loader).failed
    emit(loader, run_event("START", Job("next"), RUN))
    receiver.status = 201
    assert deliver(loader, limit=1).delivered == 1
    assert [e["job"]["name"] for e in receiver.events] == ["next"]


def test_without_a_receiver_nothing_is_sent(loader: psycopg.Connection) -> None:
    emit(loader, full_event(loader))
    assert external() is None
    assert deliver(loader).delivered == 0


def test_broken_receiver_settings_never_fail_the_load(
    loader: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "not a url")
    emit(loader, full_event(loader))
    assert deliver(loader).failed


def test_neither_secrets_nor_personal_values_get_into_an_event(loader: psycopg.Connection) -> None:
    emit(loader, full_event(loader, "FAIL"))
    text = str(loader.execute("select event from lineage.event").fetchone())
    assert "Rejected: Gate failed for [removed]" in text
    for forbidden in ("secret", "jan@example.pl", "sourceCodeLocation"):
        assert forbidden not in text
    with pytest.raises(psycopg.Error) as refused:
        loader.execute("select 'Jan Kowalski'::numeric")
    message = error_message(refused.value).message
    assert message == "InvalidTextRepresentation (SQLSTATE 22P02); its text is in the task's log"


def test_a_facet_in_the_wrong_place_is_refused() -> None:
    with pytest.raises(Fatal, match="OutputStatisticsOutputDatasetFacet cannot stand where"):
        run_event("START", JOB, RUN, inputs=[DatasetRef("a", "b").having(output_statistics(rows=1))])


def test_a_run_id_belongs_to_one_attempt_of_one_task() -> None:
    again = task_run_id("sync__crm", "manual__1", "account.load")
    others = {task_run_id("d", "r", "t", attempt, index) for attempt in (1, 2) for index in (-1, 0)}
    assert again == RUN == uuid.UUID("e47d00ab-a2d8-5a87-991f-6d123abece4f")
    assert len(others) == 4


def test_importing_lineage_is_cheap(root: Path) -> None:
    """The client alone takes half a second; neither it nor that time may be paid by whoever only names datasets."""
    program = "import sys, onefold.lineage; sys.exit('openlineage.client' in sys.modules)"
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": str(root / "plugins")})
    assert time.monotonic() - started < 5
