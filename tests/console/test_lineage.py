"""The lineage is that of the catalogue's YAML and of the marts' SQL, both read here by themselves."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from fastapi.testclient import TestClient
from lxml import html
from starlette.requests import Request

from onefold.console.app import console_app
from onefold.console.pages.lineage import graph_around, lines
from onefold.console.reading import reading
from onefold.console.viewer import Viewer
from onefold.insight.dictionary import read_dictionary
from onefold.insight.lineage_graph import MOST_NODES, Node, fine_graph
from onefold.insight.mart_lineage import mart_lineage
from onefold.platform.postgres import Postgres
from onefold.settings import CONSOLE_URL, ROOT
from tests.conftest import TEMPLATE
from tests.console.figures import shown
from tests.databases import copy_database, drop_database
from tests.insight.marts import MODELS, make_marts
from tests.roles import as_role

ENTITIES: dict[str, dict[str, Any]] = {
    file.stem: yaml.safe_load(file.read_text("utf-8")) for file in Path(ROOT, "catalog/entities").glob("*.yaml")
}


@pytest.fixture(scope="module")
def browser(postgres: Postgres) -> Iterator[TestClient]:
    """An analyst's, over a warehouse with the marts."""

    async def who(_: Request) -> Viewer:
        return Viewer("ewa.nowa", "analyst", "a token")

    name = copy_database(postgres, TEMPLATE)
    with psycopg.connect(postgres.url(name), autocommit=True) as owner:
        make_marts(owner)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONSOLE_URL, as_role(postgres.url(name), "onefold_console"))
        with TestClient(console_app(who), follow_redirects=False) as client:
            yield client
    drop_database(postgres, name)


Line = tuple[str, str, str, str]
"""From, by, to, as."""


def _lines(page: str) -> set[Line]:
    rows = html.fromstring(page).xpath("//section[@aria-labelledby='lines']//tbody/tr")
    return {tuple(" ".join(cell.text_content().split()) for cell in row) for row in rows}


def _from_yaml(attribute: str) -> set[Line]:
    entity, _, name = attribute.partition(".")
    found = set()
    for stream, rule in ENTITIES[entity]["attributes"][name]["sources"].items():
        values = _listed(rule.get("field"))
        abroad = rule["abroad"] if isinstance(rule.get("abroad"), str) else None
        others = {*rule.get("unless", {}), *_listed(rule.get("country")), *_listed(abroad)} - set(values)
        by = rule.get("transform", "text")
        found |= {(f"{stream}.{each} field", by, f"{attribute} attribute", "value") for each in values}
        found |= {(f"{stream}.{each} field", by, f"{attribute} attribute", "condition") for each in others}
    return found


# What is made of each, read off the SQL of the marts by a person.
INTO: dict[str, set[Line]] = {
    "company.eu_vat": set(),
    "company.status": {("company.status attribute", "", "kyc_profile.registry_status column", "value")},
    "invoice.net_amount": {
        ("invoice.net_amount attribute", "", "revenue_by_month.net column", "value"),
        ("invoice.net_amount attribute", "", "revenue_by_month.net_pln column", "value"),
    },
    "customer.tax_id_pl": {
        ("customer.tax_id_pl attribute", "which rows", "receivables mart", "condition"),
        ("customer.tax_id_pl attribute", "which rows", "order_status mart", "condition"),
    },
    "payment.amount": {
        ("payment.amount attribute", "", "order_status.paid column", "value"),
        ("payment.amount attribute", "", "order_status.payment_status column", "condition"),
        ("payment.amount attribute", "", "payables.owed_pln column", "value"),
        ("payment.amount attribute", "", "receivables.owed_pln column", "value"),
        ("payment.amount attribute", "which rows", "payables mart", "condition"),
        ("payment.amount attribute", "which rows", "receivables mart", "condition"),
    },
    "exchange_rate.rate": {
        ("exchange_rate.rate attribute", "", "rate_to_pln.rate column", "value"),
        ("rate_to_pln.rate column", "", "receivables.owed_pln column", "value"),
        ("rate_to_pln.rate column", "", "payables.owed_pln column", "value"),
        ("rate_to_pln.rate column", "", "revenue_by_month.net_pln column", "value"),
        ("rate_to_pln.rate column", "", "ai_cost_by_project.cost_pln column", "value"),
        ("rate_to_pln.rate column", "", "receivables.without_rate column", "condition"),
        ("rate_to_pln.rate column", "", "payables.without_rate column", "condition"),
        ("rate_to_pln.rate column", "", "revenue_by_month.without_rate column", "condition"),
    },
    "employee_job.department": {
        ("employee_job.department attribute", "", "employee_history.department column", "value"),
        ("employee_history.department column", "", "headcount.department column", "value"),
        ("employee_history.department column", "which rows", "headcount mart", "condition"),
    },
    "llm_usage.cost": {
        ("llm_usage.cost attribute", "", "ai_cost_by_project.cost column", "value"),
        ("llm_usage.cost attribute", "", "ai_cost_by_project.cost_pln column", "value"),
    },
}


READ_BY_HAND = frozenset(
    [
        "ai_cost_by_project",
        "employee_history",
        "headcount",
        "kyc_profile",
        "order_status",
        "payables",
        "rate_to_pln",
        "receivables",
        "revenue_by_month",
    ]
)
"""Of other marts tests/insight/test_view_lineage.py knows that no column is made up and none is lost."""


def _of_another_mart(line: Line) -> bool:
    name, _, kind = line[2].rpartition(" ")
    return kind in ("column", "mart") and name.partition(".")[0] not in READ_BY_HAND


@pytest.mark.parametrize("attribute", INTO)
def test_an_attribute_comes_from_what_the_yaml_says_and_goes_where_the_sql_says(
    browser: TestClient, attribute: str
) -> None:
    page = browser.get(f"/lineage/attribute/{attribute}").text
    found = _lines(page)
    assert {line for line in found if not _of_another_mart(line)} == _from_yaml(attribute) | INTO[attribute]
    figures = shown(page)
    assert int(figures["field"]) == len({line[0] for line in found if line[0].endswith("field")})
    assert int(figures["column"]) == len({line[2] for line in found if line[2].endswith("column")})


def test_every_attribute_comes_from_what_the_yaml_says(browser: TestClient) -> None:
    with reading() as connection:
        whole = fine_graph(read_dictionary(), mart_lineage(connection))
    found = dict[str, set[Line]]()
    constants = dict[str, set[str]]()
    for source, by, target, condition in lines(whole):
        if source.kind == "field":
            line = (f"{source.name} field", by, f"{target.name} attribute", "condition" if condition else "value")
            found.setdefault(target.name, set()).add(line)
        elif source.kind == "transform":
            constants.setdefault(target.name, set()).add(by.strip("“”").replace("\u00a0", " "))
    for entity, said in ENTITIES.items():
        for name, attribute in said["attributes"].items():
            own = f"{entity}.{name}"
            assert found.get(own, set()) == _from_yaml(own)
            given = {each["constant"] for each in attribute["sources"].values() if "constant" in each}
            assert constants.get(own, set()) == given


def test_each_entity_names_its_streams_and_the_marts_that_read_it(browser: TestClient) -> None:
    reads = {
        file.stem: (
            set(re.findall(r"source\('conformed', '(\w+?)(?:_unmasked|_crosswalk)?'\)", file.read_text("utf-8"))),
            set(re.findall(r"ref\('(\w+)'\)", file.read_text("utf-8"))),
        )
        for file in MODELS.glob("*.sql")
    }

    def read_by(mart: str) -> set[str]:
        entities, marts = reads[mart]
        return entities.union(*map(read_by, marts & reads.keys()))  # others are mapped records

    page = html.fromstring(browser.get("/lineage").text)
    for entity, said in ENTITIES.items():
        (row,) = page.xpath(f"//tr[@data-entity='{entity}']")
        (streams,), (marts,) = (row.xpath(f".//*[@data-figure='{each}']") for each in ("streams", "marts"))
        assert set(streams.text_content().split()) == {
            stream for each in said["attributes"].values() for stream in each["sources"]
        }
        assert set(marts.text_content().split()) == {mart for mart in reads if entity in read_by(mart)}
    for mart in reads:
        (row,) = page.xpath(f"//tr[@data-mart='{mart}']//*[@data-figure='entities']")
        assert set(row.text_content().split()) == read_by(mart)


@pytest.mark.parametrize(
    "path",
    [
        "entity/customer",
        "stream/ksef.invoice",
        "mart/order_status",
        "attribute/customer.street",
        "field/krs.extract.nip",
    ],
)
def test_the_picture_has_what_the_table_has(browser: TestClient, path: str) -> None:
    page = browser.get(f"/lineage/{path}").text
    (picture,) = html.fromstring(page).xpath("//@data-picture")
    graph = json.loads(picture)
    nodes, edges = graph["nodes"], graph["edges"]
    into = {edge["to"] for edge in edges if nodes[edge["to"]]["kind"] == "transform"}
    drawn = sum(edge["to"] not in into for edge in edges if edge["from"] not in into)
    drawn += sum(edge["to"] in into for edge in edges)
    table = html.fromstring(page).xpath("//section[@aria-labelledby='lines']//tbody/tr")
    # a field goes by a transform into one attribute, so that the two lines of the picture are one of the table
    assert drawn == len(table) > 0
    assert sum(node["focus"] for node in nodes) == 1
    for href in {node["kind"]: node["href"] for node in nodes if node["href"]}.values():
        assert browser.get(href).status_code == 200


def test_no_picture_is_a_hairball(browser: TestClient) -> None:
    dictionary = read_dictionary()
    with reading() as connection:
        marts = mart_lineage(connection)
    for each in dictionary.things():
        if each.kind in ("entity", "mart", "stream"):
            assert len(graph_around(dictionary, marts, Node(each.kind, each.name)).nodes) <= MOST_NODES
    whole = graph_around(dictionary, marts, Node("column", "receivables.owed_pln"))
    assert len(whole.by_stream().nodes) < len(whole.nodes) / 2
    assert {node.kind for node in whole.by_stream().nodes} == {"stream", "attribute", "column"}


def test_what_is_said_where_there_is_nothing_to_draw(browser: TestClient) -> None:
    counts = browser.get("/lineage/column/payables.invoices").text
    assert "it counts rows" in counts and "data-picture" not in counts
    unused = browser.get("/lineage/field/krs.extract.numerOstatniegoWpisu").text
    assert "Nothing is made of it" in unused


@pytest.mark.parametrize("path", ["attribute/none", "transform/nip", "entity/krs", "suite/company", "none/x"])
def test_what_there_is_not_is_not_found(browser: TestClient, path: str) -> None:
    assert browser.get(f"/lineage/{path}").status_code == 404


def test_marts_that_are_not_built_are_named(
    browser: TestClient, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONSOLE_URL, as_role(postgres.url(TEMPLATE), "onefold_console"))
    page = browser.get("/lineage/attribute/company.status").text
    assert "Not built yet, so without lineage: ai_cost_by_project" in page
    assert _lines(page) == _from_yaml("company.status")


def test_search_finds_what_has_a_picture(browser: TestClient) -> None:
    page = html.fromstring(browser.get("/lineage", params={"q": "owed_pln"}).text)
    found = page.xpath("//h2[@id='found']/following::table[1]//th[@scope='row']/a/@href")
    assert "/lineage/column/receivables.owed_pln" in found and all(
        browser.get(path).status_code == 200 for path in found
    )


def test_the_library_that_places_the_boxes_is_the_published_one(browser: TestClient) -> None:
    """dist/dagre.esm.js of @dagrejs/dagre 3.1.3 as npm has it, with its licence."""
    library = browser.get("/static/vendor/dagre-3.1.3/dagre.esm.js")
    digest = hashlib.sha256(library.content).hexdigest()
    assert digest == "b0ddaf4af1417bec9bd89373a3a3987f081727d6cc6d95fc40dbf85a19bdf3b0"
    assert "Permission is hereby granted" in browser.get("/static/vendor/dagre-3.1.3/LICENSE").text
    assert not re.search(rb"\beval\(|new Function|\.style\b|innerHTML", library.content)


def _listed(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []
