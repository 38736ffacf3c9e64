"""Each page of the console in a real browser: on a desktop and on a phone, in light and dark, by keyboard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlencode

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from onefold.console.views import VIEWS
from onefold.platform.postgres import Postgres
from onefold.settings import CONSOLE_URL
from onefold.warehouse.rows import one_row
from onefold.warehouse.schema import upgrade_schema
from tests.browser import BY_LOOK, WIDTHS, barriers, complaints, too_wide
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
FIRST_LOOK = "desktop"

OPERATIONS = """
update ops.load set state = 'rejected', error = 'erp.towar: ' || repeat('the contract has changed; ', 9)
where load_id = (select max(load_id) from ops.load where system = 'erp');
insert into ops.replay (dag_id, run_id, actor, reason, selection, not_replayable, selected, published, superseded,
    refused, ended_at)
values ('replay', 'replay-1', 'os:tester', 'the suite was fixed', '{"stream": "towar"}', '[]', 7, 0, 0, 7, now());
insert into ops.reconciliation (system, stream, dag_id, run_id, actor, state, missing, changed, ended_at)
select 'erp', stream, 'reconcile', 'reconcile-1', 'airflow:reconcile/reconcile-1', 'compared', 1, 2, now()
from unnest(array['towar', 'kontrahent']) as stream;
insert into ops.alert (kind, subject, message)
values ('freshness', 'erp.towar', 'The data is older than it may be: ' || repeat('x', 99));
insert into ops.outbox (idempotency_key, target, object, entity, golden_id, publish_id, wanted, reference, digest,
    state, target_key, reason, ended_at)
select n, 'register', 'klient', 'customer', gen_random_uuid(), 1, 'write', n, '', 'refused', repeat('9', 60),
    'nazwa: ' || repeat('it does not exist in cp1250; ', 9), now() from generate_series(1, 40) as n;
insert into ops.write_back_plan (target, state, catalog, needs_approval, counts, dag_id, run_id, actor)
values ('register', 'planned', '', true, '{"update": 40, "asks": 3}', 'write_back__register', 'run-1', 'airflow:w/r');
insert into ops.write_back_plan_row (plan_id, intent_id, object, golden_id, change, target_key, before, after, replaced,
    shown, asks)
select 1, intent_id, object, golden_id, 'update', target_key, '{}', '{}', '{"nazwa": ["€ → EUR", "„ → x"]}',
    jsonb_build_object('nazwa', array['(personal)', repeat('y', 99)], 'miasto', array[null, 'Łódź']), '{nazwa}'
from ops.outbox;
insert into ops.approval (subject, dag_id, run_id, plan, plan_sha256, content_sha256)
values ('writeback:1', 'write_back__register', 'run-1', '', '', '');
"""


@pytest.fixture(scope="module")
def address(postgres: Postgres, old_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The console, as an engineer sees it, over a warehouse that has loaded every stream, but one, and where
    people have asked for something."""
    name = copy_database(postgres, old_template, "b")
    url = postgres.url(name)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ONEFOLD_HOME", str(tmp_path_factory.mktemp("home")))
        environment.setenv(CONSOLE_URL, as_role(url, "onefold_console"))
        upgrade_schema(url)
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(OPERATIONS)
        with served("engineer") as address:
            yield address
    drop_database(postgres, name)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_shows_without_an_error_a_barrier_or_anything_wider_than_the_window(
    browser: Browser, address: str, path: str
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        said = complaints(page)
        assert wrong(page, f"{address}/{path}") == []
        assert said == []


def test_a_page_about_one_thing_a_message_and_a_widget_show_without_an_error_a_barrier_or_anything_too_wide(
    browser: Browser, address: str
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        said = complaints(page)
        found = {path: wrong(page, address + path, status) for path, status in about_one_thing().items()}
        assert {path: each for path, each in found.items() if each} == {}
        assert [each for each in said if "the server responded with a status of 40" not in each] == []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_used_by_keyboard(browser: Browser, address: str, path: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/{path}")
        use_by_keyboard(page)


def test_a_page_about_one_thing_and_a_widget_are_used_by_keyboard(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        for path, status in about_one_thing().items():
            page.goto(address + path)
            if status == 200:
                use_by_keyboard(page)


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


AS_AIRFLOWS_HOME = """async () => {
  const createElement = (name, { style, onLoad, ...given }) => {
    const made = Object.assign(document.createElement(name), given);
    Object.assign(made.style, style);
    made.addEventListener("load", onLoad);
    return made;
  };
  globalThis.React = { createElement };
  await import("/static/home.js");
  document.body.append(globalThis["Onefold home"]());
}"""


def test_the_frame_on_airflows_home_is_as_high_as_what_is_wrong_and_leads_to_the_console(
    browser: Browser, address: str
) -> None:
    with browser.new_context(base_url=address) as context:
        page = context.new_page()
        page.route("**/airflow", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        page.goto("/airflow")
        page.evaluate(AS_AIRFLOWS_HOME)
        widget = page.frame_locator("iframe")
        expect(widget.get_by_role("heading", level=1)).to_have_text("Warehouse")
        page.wait_for_function(
            "() => { const frame = document.querySelector('iframe');"
            " return Math.abs(frame.clientHeight - frame.contentDocument.body.scrollHeight) < 2 }"
        )
        page.route("**/plugin/**", lambda route: route.fulfill(body="a page of the console"))
        widget.get_by_role("link", name="Last load rejected").click()
        page.wait_for_url("**/plugin/onefold-overview/console/overview#wrong")


def wrong(page: Page, address: str, status: int = 200) -> list[str]:
    """What is not as it should be about the page, opened in each of LOOKS."""
    found: list[str] = []
    for look, ((width, height), scheme) in LOOKS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        answer = page.goto(address)
        assert answer is not None and answer.status == status
        assert is_dark(page) == (scheme == "dark")
        barred = barriers(page) if look == FIRST_LOOK else barriers(page, *BY_LOOK)
        found += [f"{look}: {each}" for each in too_wide(page) + barred]
    return found


def use_by_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to the content"
    box = skip.bounding_box()
    assert box and box["x"] >= 0 and box["y"] >= 0, "what has the focus is seen"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') && document.activeElement.matches(':focus-visible')")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def about_one_thing() -> dict[str, int]:
    """The paths of a page of each kind that is about one thing, of messages and of the widgets, with their status."""
    with psycopg.connect(os.environ[CONSOLE_URL]) as connection:
        row, system, stream = one_row(connection.execute("select quarantine_id, system, stream from ops.quarantine"))
        (company,) = one_row(connection.execute("select company_id from conformed.company"))
        waits = one_row(
            connection.execute(
                "select dag_id, run_id, stream from ops.load where state = 'published' order by rows_quarantined desc"
            )
        )
        refused = one_row(connection.execute("select dag_id, run_id, stream from ops.load where state = 'rejected'"))
    loads = [dict(zip(("dag", "run", "task"), each, strict=True)) for each in (waits, refused)]
    pages = [
        f"/quarantine/row/{row}",
        f"/quarantine/replay?system={system}&stream={stream}",
        "/quarantine/replays?run=replay-1",
        f"/records/company/{company}",
        "/write-back?target=register",
        "/write-back/plans/1",
        *(f"/operations/{kind}/1" for kind in ("replay", "reconciliation", "alert")),
        f"/catalogue/stream/{system}.{stream}",
        "/catalogue/transform/company_name",
        "/lineage/attribute/company.tax_id_pl",
        "/widgets/home",
        *(f"/widgets/dag?dag={dag}" for dag in (waits[0], refused[0], "conform", "replay", "example_params")),
        "/widgets/dag_run?dag=write_back__register&run=run-1",
        *(f"/widgets/{kind}?{urlencode(load)}" for load in loads for kind in ("dag_run", "task_instance")),
        *(f"/widgets/dag_run?dag={dag}&run={dag}-1" for dag in ("replay", "reconcile")),
    ]
    return {**dict.fromkeys(pages, 200), "/none": 404, "/overview?system=none": 400}


def is_dark(page: Page) -> bool:
    """Whether the page's background is darker than its text."""
    back, text = (
        sum(page.evaluate(f"getComputedStyle(document.body).{which}.match(/\\d+/g).slice(0, 3).map(Number)"))
        for which in ("backgroundColor", "color")
    )
    return back < text
