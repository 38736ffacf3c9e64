"""Each page of the console in a real browser: on a desktop and on a phone, in light and dark, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from onefold.console.views import VIEWS
from onefold.platform.postgres import Postgres
from onefold.settings import CONSOLE_URL
from onefold.warehouse.schema import upgrade_schema
from tests.browser import WIDTHS, barriers, complaints, too_wide
from tests.console.served import served
from tests.databases import copy_database, drop_database
from tests.roles import as_role

PATHS = [
    *(path for path, _ in VIEWS),
    "operations/rollback",
    "operations/rollback/plan?load=1",
    "operations/migration?system=salesforce&stream=order",
]
AIRFLOWS_SANDBOX = "allow-scripts allow-same-origin allow-forms allow-downloads"
LOOKS = {"desktop": (WIDTHS["desktop"], "light"), "phone": (WIDTHS["phone"], "dark")}


@pytest.fixture(scope="module")
def address(postgres: Postgres, old_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The console, as an engineer sees it, over a warehouse that has loaded every stream."""
    name = copy_database(postgres, old_template, "b")
    url = postgres.url(name)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ONEFOLD_HOME", str(tmp_path_factory.mktemp("home")))
        environment.setenv(CONSOLE_URL, as_role(url, "onefold_console"))
        upgrade_schema(url)
        with served("engineer") as address:
            yield address
    drop_database(postgres, name)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", PATHS)
def test_a_page_shows_without_an_error_a_barrier_or_anything_wider_than_the_window(
    browser: Browser, address: str, path: str, look: str
) -> None:
    (width, height), scheme = LOOKS[look]
    with browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme) as context:
        page = context.new_page()
        said = complaints(page)
        answer = page.goto(f"{address}/{path}")
        assert answer is not None and answer.status == 200
        assert is_dark(page) == (scheme == "dark")
        assert too_wide(page) == []
        assert barriers(page) == []
        assert said == []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_used_by_keyboard(browser: Browser, address: str, path: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/{path}")
        page.keyboard.press("Tab")
        skip = page.locator(":focus")
        assert skip.inner_text() == "Skip to the content"
        box = skip.bounding_box()
        assert box and box["x"] >= 0 and box["y"] >= 0, "what has the focus is seen"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement.closest('main') && document.activeElement.matches(':focus-visible')"
        )
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_link_out_of_the_frame_works_in_the_sandbox_that_airflow_puts_around_it(
    browser: Browser, address: str
) -> None:
    frame = f"<iframe sandbox='{AIRFLOWS_SANDBOX}' src='/{PATHS[0]}'></iframe>"
    with browser.new_context(base_url=address) as context:
        page = context.new_page()
        page.route("**/airflow", lambda route: route.fulfill(body=frame, content_type="text/html"))
        page.goto("/airflow")
        console = page.frame_locator("iframe")
        console.locator("main").evaluate("main => { main.innerHTML = '<a target=_top href=/out>a run</a>' }")
        page.route("**/out", lambda route: route.fulfill(body="Airflow's page of the run"))
        console.get_by_role("link", name="a run").click()
        page.wait_for_url("**/out")


def is_dark(page: Page) -> bool:
    """Whether the page's background is darker than its text."""
    back, text = (
        sum(page.evaluate(f"getComputedStyle(document.body).{which}.match(/\\d+/g).slice(0, 3).map(Number)"))
        for which in ("backgroundColor", "color")
    )
    return back < text
