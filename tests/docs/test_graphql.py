"""The example of docs/graphql.md: it is right, and loads to its end."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from onefold.catalog.reader import read_systems
from onefold.connectors.registry import open_transport
from onefold.connectors.window import Window
from onefold.http.endpoint import Endpoint
from onefold.settings import ROOT
from tests.connectors.graphql.api import Api, Connection
from tests.connectors.reading import reader
from tests.connectors.rest_shop import WINDOW
from tests.docs.pages import block_of
from tests.http.web_server import serving

SYSTEM = "catalog/systems/tracker.yaml"


def test_the_example_of_the_docs_loads_to_its_end(tmp_path: Path) -> None:
    for folder in ("catalog", "expectations", "dbt_project/macros"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / SYSTEM).write_text(block_of(ROOT / "docs" / "graphql.md", f"# {SYSTEM}"))
    for stream in ("issue", "label"):
        suite = f"name: tracker__{stream}\nexpectations:\n" + "".join(
            f"  - {{type: expect_column_values_to_be_null, kwargs: {{column: {name}}}, severity: critical}}\n"
            for name in ("_unparsed", "_unmapped")
        )
        (tmp_path / "expectations" / f"tracker__{stream}.yaml").write_text(suite)
    command = [ROOT / "bin" / "onefold", "check", "--root", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    system = read_systems(tmp_path / "catalog" / "systems")["tracker"]
    issues: list[object] = [
        {
            "id": str(issue), "title": "t", "state": "OPEN", "updatedAt": "2026-01-01T10:00:00Z",
            "labels": Connection([{"name": f"l{each}"} for each in range(60 if issue == 7 else issue % 3)]),
        }
        for issue in range(250)
    ]  # fmt: skip
    types = {"updatedSince": "DateTime", "updatedBefore": "DateTime", "states": "[State!]", "order": "Order"}
    with serving() as web:
        web.answer = Api({"viewer": {"issues": Connection(issues, types)}})
        found = {stream: _keys(web.url, stream, system, WINDOW) for stream in system.streams}
    assert len(found["issue"]) == 250
    assert len(found["label"]) == 60 + sum(issue % 3 for issue in range(250) if issue != 7)


def _keys(url: str, stream: str, system: object, window: Window) -> set[str | None]:
    endpoint = Endpoint(url, "somebody", "of-the-tests", {"rate": "1000/s"})
    with open_transport(system, endpoint, lambda _: None, stream=stream) as transport:
        pages = reader(system, stream, endpoint, transport)(window, None)
        return {record.key for page in pages for record in page.records}
