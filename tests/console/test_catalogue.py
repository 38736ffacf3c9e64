"""The catalogue shows what the YAML says, counted and read here by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from lxml import html
from starlette.requests import Request

from onefold.console.app import console_app
from onefold.console.pages import catalogue
from onefold.console.sheets.sheet import Link
from onefold.console.viewer import Viewer
from onefold.insight.dictionary import KINDS, Dictionary, folded, read_dictionary
from onefold.settings import ROOT
from tests.console.figures import shown


def _yaml(folder: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(file.read_text("utf-8")) for file in sorted(Path(ROOT, folder).glob("*.y*ml"))]


SYSTEMS, ENTITIES = _yaml("catalog/systems"), _yaml("catalog/entities")
MARTS = [model for file in _yaml("dbt_project/models/marts") for model in file["models"]]


@pytest.fixture(scope="module")
def browser() -> Iterator[TestClient]:
    """An analyst's: the catalogue needs no warehouse."""

    async def who(_: Request) -> Viewer:
        return Viewer("ewa.nowa", "analyst", "a token")

    with TestClient(console_app(who), follow_redirects=False) as client:
        yield client


def _cells(page: str, row: str) -> list[str]:
    (found,) = html.fromstring(page).xpath(f"//tr[@id='{row}']")
    return [" ".join(cell.text_content().split()) for cell in found]


def test_it_counts_what_the_files_say(browser: TestClient) -> None:
    streams = [(system, name, stream) for system in SYSTEMS for name, stream in system["streams"].items()]
    expected = {
        "entity": len(ENTITIES),
        "attribute": sum(len(entity["attributes"]) for entity in ENTITIES),
        "system": len(SYSTEMS),
        "stream": len(streams),
        "field": sum(len(_fields(system, stream)) for system, _, stream in streams),
        "transform": len(list(Path(ROOT, "dbt_project/macros/transforms").glob("*.sql"))),
        "suite": len(list(Path(ROOT, "expectations").glob("*.yaml"))),
        "mart": len(MARTS),
        "column": sum(len(mart["columns"]) for mart in MARTS),
        "class": len(yaml.safe_load(Path(ROOT, "catalog/privacy.yaml").read_text("utf-8"))["retention"]),
    }
    figures = shown(browser.get("/catalogue").text)
    assert figures == {"all": f"{sum(expected.values()):,}"} | {kind: f"{count:,}" for kind, count in expected.items()}


def test_every_thing_has_a_sheet_that_leads_to_nothing_else_than_things() -> None:
    dictionary = read_dictionary()
    things = {(each.kind, each.name) for each in dictionary.things()}
    for kind, name in things:
        if kind != "column":  # which is shown among its mart's
            sheet = catalogue.sheet_of(dictionary, kind, name)
            cells = [
                *sheet.facts.values(),
                *(cell for table in sheet.tables for row in table.rows for cell in row.cells),
            ]
            parts = [part for cell in cells for part in (cell if isinstance(cell, (list, tuple)) else [cell])]
            links = [part for part in (*parts, *sheet.above) if isinstance(part, Link)]
            assert {(each.kind, each.name) for each in links} <= things, (kind, name)


def test_each_kind_has_pages_and_the_list_goes_on_to_its_end(browser: TestClient) -> None:
    path, listed = "/catalogue?kind=attribute", list[str]()
    while path:
        page = html.fromstring(browser.get(path).text)
        listed += page.xpath("//tbody/tr/th/a/@href")
        (path,) = page.xpath("//a[@class='button']/@href") or [""]
    assert len(set(listed)) == len(listed) == sum(len(entity["attributes"]) for entity in ENTITIES)
    for kind in KINDS:
        page = html.fromstring(browser.get(f"/catalogue?kind={kind}").text)
        (first, *_) = page.xpath("//tbody/tr/th/a/@href")
        assert browser.get(first).status_code == 200, first


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("krs", "krs"),
        ("tax_id_pl", "company.tax_id_pl"),
        ("tax id pl", "company.tax_id_pl"),
        ("RECEIVABLES", "receivables"),
        ("statusnip", "krs.extract.statusNip"),
        ("bilans", None),
        ("' or 1=1 --", None),
    ],
)
def test_search_finds_names_before_meanings(browser: TestClient, words: str, first: str | None) -> None:
    page = html.fromstring(browser.get("/catalogue", params={"q": words}).text)
    found = page.xpath("//tbody/tr/th/a/text()")
    assert (found[:1] == [first]) if first else not found


def test_search_finds_each_word_anywhere_and_nothing_else(browser: TestClient) -> None:
    page = html.fromstring(browser.get("/catalogue", params={"q": "court register", "kind": "attribute"}).text)
    found = set(page.xpath("//tbody/tr/th/a/text()"))
    assert found == {
        f"{entity['entity']}.{name}"
        for entity in ENTITIES
        for name, attribute in entity["attributes"].items()
        if all(word in folded(f"{entity['entity']}.{name} {attribute['meaning']}") for word in ("court", "register"))
    }
    assert "company.krs" in found


def test_a_field_names_all_that_is_made_of_it(browser: TestClient) -> None:
    page = browser.get("/catalogue/field/krs.extract.statusNip").text
    of_it = {
        f"{entity['entity']}.{name}"
        for entity in ENTITIES
        for name, attribute in entity["attributes"].items()
        for source, rule in attribute["sources"].items()
        if source == "krs.extract" and "statusNip" in (*_listed(rule.get("field")), *rule.get("unless", {}))
    }
    assert of_it == {"company.tax_id_status", "company.eu_vat"}
    assert shown(page)["becomes"] == "2"
    assert _cells(page, "company.tax_id_status")[1:3] == ["value", "code"]
    assert _cells(page, "company.eu_vat")[1:3] == ["condition: whether it counts", "eu_vat"]


def test_an_attribute_says_where_it_comes_from(browser: TestClient) -> None:
    page = browser.get("/catalogue/attribute/company.tax_id_status").text
    assert _cells(page, "krs.extract")[:4] == ["krs.extract", "statusNip", "code", "1"]
    assert "UCHYLONY = withdrawn" in page and "one does." in page
    assert shown(page) == {"sources": "2", "examples": "2"}


def test_a_class_lists_its_fields_and_attributes(browser: TestClient) -> None:
    fields = sum(
        isinstance(field, dict) and field.get("personal") == "sensitive"
        for system in SYSTEMS
        for stream in system["streams"].values()
        for field in _fields(system, stream).values()
    )
    attributes = sum(
        attribute.get("personal") == "sensitive" for entity in ENTITIES for attribute in entity["attributes"].values()
    )
    page = browser.get("/catalogue/class/sensitive").text
    assert shown(page) == {"fields": str(fields), "attributes": str(attributes)} and fields and attributes
    assert "365 days" in page


@pytest.mark.parametrize(
    "path",
    [
        "/catalogue/system/none",
        "/catalogue/none/krs",
        "/catalogue/field/krs.extract",
        "/catalogue/mart/x",
        "/catalogue?after=x",
        "/catalogue?kind=none",
    ],
)
def test_what_there_is_not_is_not_found(browser: TestClient, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404 and "<h1>Not found" in answer.text


def test_what_a_file_says_is_escaped(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    there = read_dictionary()
    odd = there.systems["krs"].model_copy(update={"title": "<script>alert(1)</script>"})
    changed = Dictionary({"krs": odd}, {}, there.transforms, there.marts)
    monkeypatch.setattr(catalogue, "read_dictionary", lambda: changed)
    for path in ("/catalogue?q=krs", "/catalogue/system/krs", "/catalogue?q=<script>alert(1)</script>"):
        page = browser.get(path).text
        assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def _listed(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _fields(system: dict[str, Any], stream: dict[str, Any]) -> dict[str, Any]:
    """Its own, and those of all streams of the system but what it takes out."""
    common: dict[str, Any] = system.get("defaults", {}).get("fields", {})
    return {name: field for name, field in (common | stream["fields"]).items() if field is not None}
