"""The path of docs/drafts.md, from an OpenAPI file to a published stream, as a newcomer goes it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from onefold.catalog.reader import read_catalog
from onefold.commands import new
from onefold.commands.check import check
from onefold.http.endpoint import Endpoint
from onefold.load import steps
from onefold.load.extraction import from_system
from onefold.load.job import Job
from onefold.load.ledger import Run
from onefold.settings import ROOT
from tests.docs.pages import block_of
from tests.http.web_server import Asked, Say, serving

PAGE = ROOT / "docs" / "drafts.md"
FILE = "catalog/systems/helpdesk.yaml"
TICKETS = [
    {"number": "T-1", "subject": "Help", "requester": {"email": "a@example.com"}, "hours": "1.50",
     "updated_at": "2026-01-02T03:04:05Z", "channel": "web"},
    {"number": "T-2", "subject": "More", "requester": {"email": "b@example.com"},
     "updated_at": "2026-01-03T03:04:05Z", "channel": "mail"},
]  # fmt: skip
MOST_EDITED = 10


def answer(asked: Asked) -> Say:
    assert asked.headers["Authorization"] == "Bearer not-a-secret"
    assert asked.path == "/api/tickets"
    return Say(body=json.dumps({"warnings": [], "tickets": TICKETS, "total": 2}).encode())


def edited(draft: str) -> tuple[str, int]:
    """The draft after the edits of the page, and how many lines they were."""
    wanted = block_of(PAGE, f"# edited in {FILE}").splitlines()[1:]
    lines = [line for line in draft.splitlines() if not line.strip().startswith("recipients:")]
    for edit in wanted:
        key = edit.strip().partition(":")[0]
        (at,) = (number for number, line in enumerate(lines) if re.match(rf"\s*(# )?{key}: ", line))
        lines[at] = edit
    return "\n".join([*lines, ""]), len(wanted) + 1


def shape(text: str) -> list[list[str]]:
    """The words of each line; how long it took and how wide its columns are do not matter."""
    return [
        re.sub(r"[\d,.]+ (bytes|KiB), [\d.]+ s", "cost", line).split()
        for line in text.splitlines()
        if "---" not in line
    ]


def test_a_newcomer_has_a_published_stream_after_four_edited_lines(
    tmp_path: Path, loader_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("catalog", "expectations", "dbt_project/macros"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.setattr(new, "ROOT", tmp_path)
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    description = tmp_path / "helpdesk-openapi.yaml"
    description.write_text(block_of(PAGE, "# helpdesk-openapi.yaml"))
    done = CliRunner().invoke(new.new, ["system", "helpdesk", "--from", "openapi", str(description)])
    assert done.exit_code == 0, done.output
    text, count = edited((tmp_path / FILE).read_text())
    assert count == 4 <= MOST_EDITED
    (tmp_path / FILE).write_text(text)
    with serving() as web:
        web.answer = answer
        connection = {"conn_type": "http", "host": web.url, "password": "not-a-secret"}
        monkeypatch.setenv("AIRFLOW_CONN_HELPDESK", json.dumps(connection))
        tried = CliRunner().invoke(check, ["--root", str(tmp_path), "--connect", "helpdesk"])
        assert tried.exit_code == 0, tried.output
        assert shape(tried.output.replace("\n\n", "\n")) == shape(block_of(PAGE, FIRST_LINE))
        checked = CliRunner().invoke(check, ["--root", str(tmp_path)])
        assert checked.exit_code == 0, checked.output
        assert "Marks of drafts left to check:" in checked.output
        assert load(tmp_path, web.url, loader_url) == ("published", 2, 0)


FIRST_LINE = "helpdesk.tickets: 2 records, 1 request, 280 bytes, 0.1 s; next page: none: this page is the last"


def load(root: Path, url: str, loader_url: str) -> tuple[str, int, int]:
    """What the task of `bin/onefold sync helpdesk` does: state, new rows, rows in quarantine."""
    catalog = read_catalog(root)
    endpoint = Endpoint(url, None, "not-a-secret", {})
    job = Job(
        system=catalog.systems["helpdesk"],
        stream_name="tickets",
        run=Run("sync__helpdesk", "manual__1", "os:tester"),
        source=from_system(catalog.systems["helpdesk"], endpoint, loader_url, catalog.systems, catalog.entities),
        source_url=url,
        warehouse_url=loader_url,
        entities=catalog.entities,
        run_is_over=lambda dag_id, run_id: True,
        suites=root / "expectations",
    )
    steps.land(job)
    steps.gate(job)
    done = steps.publish(job)
    return done.state, done.rows_new, done.rows_quarantined
