"""The picture of the lineage in a real browser, under the console's own Content-Security-Policy."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from onefold.platform.postgres import Postgres
from onefold.settings import CONSOLE_URL
from tests.browser import WIDTHS, barriers, complaints, too_wide
from tests.conftest import TEMPLATE
from tests.console.served import served
from tests.databases import copy_database, drop_database
from tests.insight.marts import make_marts
from tests.roles import as_role


@pytest.fixture(scope="module")
def address(postgres: Postgres) -> Iterator[str]:
    """The console as an analyst sees it, over a warehouse with the marts."""
    name = copy_database(postgres, TEMPLATE)
    with psycopg.connect(postgres.url(name), autocommit=True) as owner:
        make_marts(owner)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(CONSOLE_URL, as_role(postgres.url(name), "onefold_console"))
        with served("analyst") as address:
            yield address
    drop_database(postgres, name)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    width, height = WIDTHS["phone"]
    with browser.new_context(viewport={"width": width, "height": height}) as context:
        page = context.new_page()
        said = complaints(page)
        yield page
        assert said == []


def test_the_picture_is_drawn_and_followed_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}/lineage/attribute/exchange_rate.rate")
    graph = json.loads(page.locator(".picture").get_attribute("data-picture") or "")
    expect(page.locator("svg.graph .box")).to_have_count(len(graph["nodes"]))
    expect(page.locator("svg.graph .line path")).to_have_count(len(graph["edges"]))
    focus = page.locator("svg.graph .focus text")
    assert focus.all_text_contents() == ["rate", "attribute · exchange_rate"]
    assert (too_wide(page), barriers(page), page.locator("[style]").count()) == ([], [], 0)
    page.focus(".picture")
    page.keyboard.press("Tab")
    here = page.locator(":focus")
    assert here.get_attribute("aria-label") == "mid, field · nbp.rate"
    assert here.get_attribute("href") == "/lineage/field/nbp.rate.mid"
    expect(page.locator("svg.graph.lit .near")).not_to_have_count(0)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/lineage/field/nbp.rate.mid")


def test_the_picture_is_made_larger_and_searched(page: Page, address: str) -> None:
    page.goto(f"{address}/lineage/column/receivables.owed_pln")
    picture = page.locator("svg.graph")
    width = float(picture.get_attribute("width") or 0)
    page.get_by_role("button", name="Larger").click()
    assert float(picture.get_attribute("width") or 0) == pytest.approx(width * 1.25, abs=2)
    page.focus(".picture")
    page.keyboard.press("0")
    inside = page.locator(".picture").evaluate("place => place.scrollWidth - place.clientWidth")
    assert inside == 0 or float(picture.get_attribute("width") or 0) < width
    page.get_by_label("Find").fill("stripe.")
    expect(page.get_by_role("status")).to_have_text("4 found")
    expect(page.locator("svg.graph .found")).to_have_count(4)
