"""Drafts made as a user makes them, and the examples of a description served as its service would."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from onefold.catalog.system import System
from onefold.catalog.yaml_file import read_yaml
from onefold.commands import new
from onefold.connectors.page import Page
from onefold.connectors.registry import open_transport
from onefold.connectors.window import BEGINNING, Window
from onefold.http.endpoint import Endpoint
from tests.connectors.reading import reader
from tests.http.web_server import Asked, Say

DESCRIPTIONS = Path(__file__).parent / "descriptions"


def drafted_text(kind: str, location: str | Path, *more: str) -> str:
    """The draft that is printed."""
    done = CliRunner().invoke(new.system, ["made_up", "--from", kind, str(location), "--stdout", *more])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def drafted(kind: str, location: str | Path, *more: str) -> System:
    """The system of the draft that is printed."""
    return System.model_validate(yaml.safe_load(drafted_text(kind, location, *more)))


def with_privacy(text: str) -> str:
    """The draft after somebody has said what only a person can say."""
    said = text.replace("# legal_basis: contract # consent,", "legal_basis: contract #")
    return re.sub(r"TODO: ([^'\]]*)", r"said: \1", said)


def pages(system: System, stream: str, endpoint: Endpoint, end: str | None = None) -> list[Page]:
    """Every page of the stream, to the end."""
    from datetime import datetime

    window = Window(BEGINNING, datetime.fromisoformat(end or "2030-01-01T00:00:00+00:00"))
    with open_transport(system, endpoint, lambda _: None, stream=stream) as transport:
        return list(reader(system, stream, endpoint, transport)(window, None))


class Examples:
    """Answers each path with the example of its operation, and what follows that page with the same, emptied."""

    def __init__(self, system: System, examples: dict[str, Any]) -> None:
        self._streams = {stream.request.path: stream for stream in system.streams.values()}
        self._examples = examples

    def __call__(self, asked: Asked) -> Say:
        stream, example = self._streams[asked.path], self._examples[asked.path]
        following = stream.next
        first = "0" if following.kind == "offset" else str(following.first if following.first is not None else 1)
        given = json.loads(asked.body) if following.place == "body" else asked.params
        further = given.get(following.parameter or "page", first) != first or "cursor" in asked.params
        headers = {"Content-Type": "application/json"}
        if further:
            example = _emptied(example, stream.records, following.path or following.more)
        elif following.kind == "link":
            headers["Link"] = f'<{asked.path}?page=2>; rel="next"'
        return Say(body=json.dumps(example).encode(), headers=headers)


def _emptied(example: Any, records: str, more: str | None) -> Any:
    """The answer without records, and without what leads on."""
    if not records:
        return []
    emptied = json.loads(json.dumps(example))
    *above, last = records.split(".")
    place = emptied
    for key in above:
        place = place[key]
    place[last] = []
    if more:
        emptied[more.split(".")[0]] = False if more.endswith("more") else None
    return emptied


def examples_of(description: Path, base: str) -> dict[str, Any]:
    """The example answers of an OpenAPI description by the path that a draft asks for."""
    document = yaml.safe_load(description.read_text())
    found = {}
    for path, item in document["paths"].items():
        for method in ("get", "post"):
            response = item.get(method, {}).get("responses", {}).get("200", {})
            for media in response.get("content", {}).values():
                if "example" in media:
                    found[base + path] = media["example"]
                for one in media.get("examples", {}).values():
                    found[base + path] = document["components"]["examples"][one["$ref"].rpartition("/")[2]]["value"]
            if "examples" in response:
                found[base + path] = response["examples"]["application/json"]
    return found


def read_text(text: str, folder: Path) -> System:
    """The system as the catalogue reads it, with every check of a file."""
    file = folder / "made_up.yaml"
    file.write_text(text)
    return System.model_validate(read_yaml(file).value)
