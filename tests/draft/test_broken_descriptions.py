"""A description that is broken somewhere gives a draft that the catalogue reads, or a refusal in words."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from onefold.catalog.reader import read_systems
from onefold.draft.edmx.draft import edmx_draft
from onefold.draft.kinds import drafted
from onefold.draft.model import Draft
from onefold.draft.openapi.draft import openapi_draft
from onefold.draft.yaml_text import draft_yaml
from onefold.errors import Fatal
from tests.draft.drafting import DESCRIPTIONS
from tests.effort import TORTURE

TIMES = 3_000 if TORTURE else 120
JUNK = (
    None, True, 0, "", "{a}", [], [None], {}, {"$ref": "#/nope"}, {"$ref": 5}, {"type": ["null"]}, {"type": "array"},
    {"type": "array", "items": True}, "a: b # c\n d", "ąę😀" * 30,
)  # fmt: skip
NAMES = ("a b", "ł", "x" * 80, "A.b", 'q"r', "$top", "_key", "1")


def places(node: object, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inside:
        yield (*above, key)
        yield from places(value, (*above, key))


def broken(document: object, chance: random.Random) -> object:
    """The document with one to three of its parts replaced or renamed."""
    document = copy.deepcopy(document)
    for _ in range(chance.randint(1, 3)):
        *above, last = chance.choice(list(places(document)))
        node = document
        for key in above:
            node = node[key]
        if isinstance(node, dict) and chance.random() < 0.15:
            node[chance.choice(NAMES)] = node.pop(last)
        else:
            node[last] = copy.deepcopy(chance.choice(JUNK))
    return document


def no_file(name: str) -> str:
    raise Fatal(f"there is no file {name}")


def read(draft: Draft, folder: Path, number: int) -> None:
    file = folder / f"s_{number}.yaml"
    file.write_text(draft_yaml(file.stem, draft, "a description"))
    read_systems(folder)
    file.unlink()


def test_an_openapi_description_broken_anywhere_is_drafted_or_refused(tmp_path: Path) -> None:
    chance, drafted = random.Random(14), 0
    files = ("github.yaml", "stripe.json", "datasets.yaml", "contacts.yaml", "orders.yaml")
    documents = [
        json.loads(json.dumps(yaml.safe_load((DESCRIPTIONS / file).read_text()), default=str)) for file in files
    ]
    for number in range(TIMES):
        try:
            draft = openapi_draft(json.dumps(broken(chance.choice(documents), chance)), no_file)
        except Fatal:
            continue
        read(draft, tmp_path, number)
        drafted += 1
    assert drafted > TIMES / 2


def test_an_edmx_broken_anywhere_is_drafted_or_refused(tmp_path: Path) -> None:
    chance, drafted = random.Random(14), 0
    values = ("", "x", "Edm.Int32", "Trippin.Person", "ł", "a/b")
    for number in range(TIMES):
        text = (DESCRIPTIONS / chance.choice(("trippin.xml", "business_partner.xml"))).read_text()
        words = text.split('"')
        for _ in range(chance.randint(1, 3)):
            words[chance.randrange(1, len(words), 2)] = chance.choice(values)
        try:
            draft = edmx_draft('"'.join(words).encode())
        except Fatal:
            continue
        read(draft, tmp_path, number)
        drafted += 1
    assert drafted > TIMES / 2


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("openapi", "[" * 200_000),
        ("openapi", "- " * 20_000),
        ("openapi", '{"openapi": "3.0.0", "paths": ' + '{"a":' * 100_000),
        ("graphql", "[" * 100_000),
        ("graphql", "type Query { a: " + "[" * 100_000 + "A" + "]" * 100_000 + " }"),
        ("json", "[" * 200_000),
        ("json", '{"data": [{"id": 1, "a": ' + '{"x":' * 20_000 + "1" + "}" * 20_000 + "}]}"),
        ("json", '{"id": 1}\n' + "[" * 200_000),
        ("edmx", "<a>" * 100_000),
        ("wsdl", "<a>" * 100_000),
    ],
)
def test_a_description_that_is_nested_without_end_is_refused_in_words(tmp_path: Path, kind: str, text: str) -> None:
    file = tmp_path / "description"
    file.write_text(text)
    with pytest.raises(Fatal):
        drafted(kind, str(file))


def test_an_example_that_is_nested_without_end_costs_only_itself() -> None:
    answer = {"200": {"content": {"application/json": {"example": "[" * 200_000}}}}
    paths = {
        "/orders": {"get": {"responses": answer}},
        "/customers": {
            "get": {"responses": {"200": {"content": {"application/json": {"example": '[{"id": 1, "name": "x"}]'}}}}}
        },
    }
    draft = openapi_draft(json.dumps({"openapi": "3.0.0", "info": {"title": "x"}, "paths": paths}), no_file)
    assert [stream.name for stream in draft.streams] == ["customers"]
