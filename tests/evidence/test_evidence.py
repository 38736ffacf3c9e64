"""onefold audit evidence: a signed folder of who may do what, what was done, what failed and what is missing."""

from __future__ import annotations

import csv
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import Result

from onefold.audit import AuditEvent, anchor, append, signing_key
from onefold.audit.signed_note import generate, read_note, sign
from onefold.evidence.files import write_rows
from onefold.evidence.sections import SECTIONS
from tests.audit.conftest import Here

SINCE, UNTIL = "2020-01-01", "2100-01-01"
CANARIES = {"pesel": "44051401359", "email": "kanarek@example.com", "name": "Kanarkowska"}
PERSONAL = (
    """insert into ops.load (system, stream, window_start, window_end, state, dag_id, run_id, actor, error)
    values ('hr', 'employee', '2026-01-01', '2026-01-02', 'rejected', 'sync__hr', 'manual__1', 'os:x', %(email)s)""",
    """insert into ops.quarantine
        (load_id, system, stream, _key, _hash, _extracted_at, payload, suite, expectation, reason)
    select load_id, system, stream, %(pesel)s, '\\x00', now(), jsonb_build_object('name', %(name)s::text),
        'hr__employee', 'not_null', %(name)s || ' is no value' from ops.load""",
    "insert into ops.alert (kind, subject, message) values ('freshness', 'hr.employee', 'late, says ' || %(email)s)",
    "insert into ops.rollback (loads, reason, actor, plan) values ('{1}', 'asked by ' || %(name)s, 'os:x', '{}')",
)
"""Rows that hold personal values where such rows may."""
READ = """
select audit.append_any('role:onefold_analyst/maria.wilk', 'read.begin', 'statement:' || repeat('a', 64), null, null,
    '{}', 'ok')
"""


@pytest.fixture
def eventful(here: Here) -> Here:
    for action, subject, payload, result in (
        ("alert.open", "alert:1", {"kind": "freshness", "about": "hr.employee"}, "ok"),
        ("alert.resolve", "alert:1", {"kind": "freshness", "about": "hr.employee"}, "ok"),
        ("load.reject", "load:9", {"rows": 7}, "rejected"),
        ("rollback.decide", "rollback:1", {"approved": True}, "ok"),
    ):
        append(
            here.loader,
            AuditEvent("airflow:by:anna.kowal/rollback/manual__1", action, subject, None, None, payload, result),
        )
    with psycopg.connect(here.owner) as owner:
        owner.execute(READ)
    anchor(here.loader, here.anchors)
    with psycopg.connect(here.owner) as owner:
        for statement in PERSONAL:
            owner.execute(statement.encode(), CANARIES)
    return here


def exported(here: Here, folder: Path, since: str = SINCE, until: str = UNTIL) -> Path:
    done = here.run("evidence", "--from", since, "--to", until, "--out", folder)
    assert done.exit_code == 0, (done.output, done.exception)
    return folder


def rows(folder: Path, name: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / f"{name}.json").read_text())
    return found


def checked(here: Here, folder: Path, *more: object) -> Result:
    return here.run("evidence", "--check", folder, *more)


def test_the_folder_shows_access_approvals_incidents_and_gaps(eventful: Here, tmp_path: Path) -> None:
    folder = exported(eventful, tmp_path / "evidence")
    assert checked(eventful, folder).output.startswith("OK: ")
    roles = {row["role"]: row for row in rows(folder, "access_database_roles")}
    assert roles["postgres"]["superuser"] is True
    assert roles["onefold_pii"]["signs_in"] is False
    grants = rows(folder, "access_database_grants")
    appending = [each["role"] for each in grants if str(each["object"]).startswith("audit.append(")]
    assert appending == ["onefold_loader"]
    assert {
        "role": "onefold_auditor",
        "kind": "table",
        "object": "audit.event",
        "column": None,
        "owner": "postgres",
    } in [{name: value for name, value in each.items() if name != "may"} for each in grants]
    assert {row["name"] for row in rows(folder, "access_people")} >= {"anna.kowal", "piotr.zaremba"}
    assert [row["actor"] for row in rows(folder, "access_reads")] == ["role:onefold_analyst/maria.wilk"]
    (approval,) = rows(folder, "approvals")
    assert (approval["action"], approval["actor"]) == ("rollback.decide", "airflow:by:anna.kowal/rollback/manual__1")
    (alert,) = rows(folder, "incidents_alerts")
    assert (alert["kind"], alert["about"], alert["resolved_at"] is None) == ("freshness", "hr.employee", False)
    assert [row["subject"] for row in rows(folder, "incidents_failed_loads")] == ["load:9"]
    assert [row["rows"] for row in rows(folder, "incidents_quarantined")] == [1]
    assert rows(folder, "changes_releases") and rows(folder, "changes_catalogue")
    assert "onefold.lineage" in [row["what"] for row in rows(folder, "retention")]
    (charge,) = [row for row in rows(folder, "retention") if row["what"] == "stripe.charge"]
    assert (charge["history_days"], charge["history_days_by_class"]) == (2190, "contact=730")
    told = " ".join(str(row["gap"]) for row in rows(folder, "gaps"))
    for gap in (
        "no checkpoint of the audit chain goes",
        "no backup and no restore",
        "postgres is a superuser",
        "made-up",
    ):
        assert gap in told
    assert "the audit chain is not proven" not in told
    index = (folder / "index.md").read_text()
    assert all(f"`{section.name}`" in index for section in SECTIONS)
    assert len((folder / "audit_events.jsonl").read_text().splitlines()) == 10


def test_every_table_is_the_same_as_csv_and_as_json(eventful: Here, tmp_path: Path) -> None:
    folder = exported(eventful, tmp_path / "evidence")
    for path in folder.glob("*.csv"):
        with path.open(newline="") as file:
            table = list(csv.DictReader(file))
        as_json = rows(folder, path.stem)
        assert [list(row) for row in as_json] == [list(row) for row in table]
        assert len(table) == len(as_json)


def test_the_same_period_gives_the_same_bytes_however_the_chain_goes_on(eventful: Here, tmp_path: Path) -> None:
    eventful.does("load:10")
    anchor(eventful.loader, eventful.anchors)
    with psycopg.connect(eventful.owner) as owner:  # as if what is there had been done in January
        found = owner.execute("select min(at), max(at) from audit.event").fetchone()
    assert found is not None
    day = f"{found[0]:%Y-%m-%d}"
    first = exported(eventful, tmp_path / "first", "2020-01-01", day)
    eventful.does("load:11")
    anchor(eventful.loader, eventful.anchors)
    second = exported(eventful, tmp_path / "second", "2020-01-01", day)
    assert {path.name for path in first.iterdir()} == {path.name for path in second.iterdir()}
    assert [path.name for path in first.iterdir() if path.read_bytes() != (second / path.name).read_bytes()] == []
    whole = exported(eventful, tmp_path / "whole")
    again = exported(eventful, tmp_path / "again")
    assert [path.name for path in whole.iterdir() if path.read_bytes() != (again / path.name).read_bytes()] == []


def test_no_personal_value_gets_into_any_file(eventful: Here, tmp_path: Path) -> None:
    folder = exported(eventful, tmp_path / "evidence")
    for path in folder.iterdir():
        assert [canary for canary in CANARIES.values() if canary.encode() in path.read_bytes()] == [], path


def change(folder: Path) -> None:
    path = folder / "incidents_failed_loads.csv"
    path.write_text(path.read_text().replace("load:9", "load:8"))


def remove(folder: Path) -> None:
    (folder / "gaps.json").unlink()


def add(folder: Path) -> None:
    (folder / "approvals_more.csv").write_text("seq\n")


def sign_by_another_key(folder: Path) -> None:
    note = read_note((folder / "MANIFEST").read_text())
    (folder / "MANIFEST").write_text(sign(note.text, [generate(note.signatures[0][0])]))


def leave_out_a_file(folder: Path) -> None:
    (folder / "gaps.csv").unlink()
    lines = (folder / "MANIFEST").read_text().splitlines(keepends=True)
    (folder / "MANIFEST").write_text("".join(line for line in lines if not line.endswith("  gaps.csv\n")))


def never_end(folder: Path) -> None:
    (folder / "MANIFEST").unlink()


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (change, "incidents_failed_loads.csv was changed"),
        (remove, "gaps.json is missing"),
        (add, "approvals_more.csv was added"),
        (sign_by_another_key, "is not signed by any of the keys"),
        (leave_out_a_file, "is not signed by any of the keys"),
        (never_end, "did not come to its end"),
    ],
)
def test_whatever_is_changed_in_the_folder_is_found(
    eventful: Here, tmp_path: Path, tamper: Callable[[Path], None], says: str
) -> None:
    folder = exported(eventful, tmp_path / "evidence")
    tamper(folder)
    found = checked(eventful, folder)
    assert found.exit_code == 1
    assert says in str(found.exception)


def test_a_folder_is_checked_elsewhere_with_the_public_key_alone(
    eventful: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = exported(eventful, tmp_path / "evidence")
    key = tmp_path / "given.pub"
    key.write_text(signing_key.public_file(eventful.anchors.parent).read_text())
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("ONEFOLD_WAREHOUSE_URL")
    assert checked(eventful, folder, "--key", key).exit_code == 0


def test_a_chain_that_is_broken_is_a_gap_and_named_first(eventful: Here, tmp_path: Path) -> None:
    with psycopg.connect(eventful.owner) as owner:
        owner.execute("alter table audit.event disable trigger event_append_only")
        owner.execute("update audit.event set actor = 'os:other' where seq = 4")
    gap, *_ = rows(exported(eventful, tmp_path / "evidence"), "gaps")
    assert gap["control"] == "A.8.15"
    assert "event 4 is bad: hash mismatch" in str(gap["gap"])


def test_a_folder_that_holds_something_is_left_alone(eventful: Here, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    refused = eventful.run("evidence", "--from", SINCE, "--to", UNTIL, "--out", tmp_path)
    assert refused.exit_code == 1
    assert "is not empty" in str(refused.exception)


def test_memory_is_flat_however_many_rows_there_are(tmp_path: Path) -> None:
    tracemalloc.start()
    assert write_rows(tmp_path, "many", ("number", "text"), ([n, "x" * 100] for n in range(20_000)), str) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
