"""onefold audit: verify and export, against the warehouse and offline."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from onefold.audit import AuditEvent, anchor, append
from onefold.commands.audit import audit
from onefold.settings import settings


@pytest.fixture
def run(loader: psycopg.Connection, loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", loader_url)
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path))
    for number in range(3):
        append(loader, AuditEvent("os:x", "load.publish", f"load:{number}"))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(audit, arguments)

    return invoke


def test_verify_says_that_the_chain_is_intact_and_whether_anchors_held_it(run, loader) -> None:
    unanchored = run("verify")
    assert unanchored.exit_code == 1
    assert "3 events follow from each other" in unanchored.output
    assert "deleted last events, or a chain written anew, cannot be ruled out" in unanchored.output
    anchor(loader, settings().audit_anchor)
    anchored = run("verify")
    assert anchored.exit_code == 0
    assert "OK: 3 events" in anchored.output
    assert "1 anchored heads" in anchored.output
    assert json.loads(run("verify", "--json").stdout)["ok"] is True


def test_verify_exits_1_and_names_the_first_bad_event_of_an_export(run, tmp_path: Path) -> None:
    lines = run("export").stdout.splitlines()
    assert len(lines) == 3
    export = tmp_path / "export.jsonl"
    export.write_text("\n".join([lines[0], lines[1].replace("load:1", "load:9"), lines[2]]) + "\n", "utf-8")
    broken = run("verify", "--file", str(export))
    assert broken.exit_code == 1
    assert "BROKEN at event 2: hash mismatch" in broken.output
    verdict = json.loads(run("verify", "--file", str(export), "--json").stdout)
    assert (verdict["ok"], verdict["fault"]["seq"]) == (False, 2)


def test_verify_of_a_cut_export_fails_by_its_anchor(run, loader, tmp_path: Path) -> None:
    anchor(loader, settings().audit_anchor)
    export = tmp_path / "export.jsonl"
    export.write_text("\n".join(run("export").stdout.splitlines()[:2]) + "\n", "utf-8")
    alone = run("verify", "--file", str(export))
    assert (alone.exit_code, "NOT PROVEN: 2 events" in alone.output) == (1, True)
    cut = run("verify", "--file", str(export), "--anchor", str(settings().audit_anchor))
    assert cut.exit_code == 1
    assert "BROKEN at event 3: missing" in cut.output


def test_an_unreadable_export_is_a_clear_error(run, tmp_path: Path) -> None:
    export = tmp_path / "export.jsonl"
    export.write_text('{"seq": 1}\n', "utf-8")
    unreadable = run("verify", "--file", str(export))
    assert unreadable.exit_code == 1
    assert "line 1 is not an audit event" in unreadable.output
