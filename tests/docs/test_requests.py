"""The recipes of docs/requests.md: each stream gives the records that its answers hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import yaml

from onefold.catalog.ignored_settings import ignored_settings
from onefold.catalog.system import System
from onefold.connectors.window import BEGINNING, Window
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.settings import ROOT
from tests.connectors.reading import reader
from tests.docs.pages import Block, blocks
from tests.http.web_server import Asked, Say, serving

PAGE = ROOT / "docs" / "requests.md"
WINDOW = Window(BEGINNING, datetime(2026, 4, 1, tzinfo=UTC))
EXPECTED = {
    "line": ['["7","1"]'],
    "ticket": ['["A/1","1"]', '["A/1","2"]'],
    "rate": ["USD", "EUR"],
    "event": ["E-1"],
    "reading": ["M-1"],
}
RECIPES = list(zip(blocks(PAGE, "yaml"), blocks(PAGE, "http"), strict=True))


def answers(block: Block) -> dict[str, tuple[str, bytes]]:
    """By the request's line, the body that is asked with it and the one that is answered."""
    lines = block.text.splitlines()
    found = {}
    for asked, said in zip(lines[::2], lines[1::2], strict=True):
        method, target, *body = asked.split(" ", 2)
        found[f"{method} {target}"] = ("".join(body), said.encode())
    return found


@pytest.mark.parametrize(("recipe", "http"), RECIPES, ids=lambda block: block.where)
def test_each_recipe_reads_what_the_page_says(recipe: Block, http: Block) -> None:
    streams = yaml.safe_load(recipe.text)
    system = System.model_validate(
        {"system": "example", "title": "An example", "protocol": "rest", "connection": "example"}
        | {"schedule": "0 * * * *", "streams": streams}
    )
    name = list(streams)[-1]
    assert list(ignored_settings("rest", system.streams[name])) == []
    known = answers(http)

    def answer(asked: Asked) -> Say:
        query = "&".join(f"{key}={value}" for key, value in asked.params.items())
        body, said = known[f"{asked.method} {asked.path}" + (f"?{query}" if query else "")]
        assert not body or json.loads(asked.body) == json.loads(body)
        return Say(body=said)

    with serving() as web:
        web.answer = answer
        client = Client(system, Endpoint(web.url), lambda _: None, limiter=MemoryLimiter(), stream=name)
        pages = list(reader(system, name, Endpoint(web.url), client)(WINDOW, None))
        assert len(web.asked) == len(known)
    assert [record.key for page in pages for record in page.records] == EXPECTED.pop(name)


def test_the_rule_for_errors_and_the_headers_of_a_quota_are_right() -> None:
    text = PAGE.read_text()
    system = {"system": "example", "title": "An example", "protocol": "rest", "connection": "example"}
    for setting in ("`errors: {in_answer: ", "`limits: {quota: "):
        (line,) = (each.split(setting)[1].split("`")[0] for each in text.splitlines() if setting in each)
        given = yaml.safe_load(setting.strip("`") + line)
        System.model_validate(system | {"schedule": "0 * * * *", "streams": {}} | given)
