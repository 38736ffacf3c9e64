"""The console inside the real Airflow, in a real browser: who sees it, and how few clicks lead to a repair."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from onefold.console.views import PREFIX
from tests.scheduler.installation import Installation, wait_for
from tests.scheduler.person import PATIENCE, TO_THE_REASON, TO_THE_REPAIR, Person, signed_in
from tests.scheduler.test_replay import AS_AN_OLDER_SUITE_REFUSED_IT

pytestmark = pytest.mark.scheduler
expect.set_options(timeout=PATIENCE)


def test_the_console_is_in_airflows_menu_and_pages_and_follows_its_colours(
    browser: Browser, here: Installation
) -> None:
    load = here.rows(
        "select dag_id, run_id, stream, rows_read::text as read from ops.load where state = 'published' limit 1"
    )[0]
    dag = f"/dags/{load['dag_id']}"
    run = f"{dag}/runs/{quote(str(load['run_id']), safe='')}"
    with signed_in(browser, here, "engineer") as person:
        expect(person.console.get_by_role("heading", level=1)).to_have_text("Warehouse")
        for address, route in ((dag, "dag"), (run, "dag_run"), (f"{run}/tasks/{load['stream']}", "task_instance")):
            person.page.goto(address)
            person.page.get_by_role("link", name="Warehouse").click()
            person.page.wait_for_url(f"**/plugin/onefold-{route}")
            expect(person.console.locator("main")).to_contain_text(str(load["stream"]))
        expect(person.console.locator("[data-figure=read]")).to_have_text(f"{int(str(load['read'])):,}")
        person.page.goto("/")
        console = person.opens_the_console()
        expect(console.get_by_role("heading", level=1)).to_have_text("Overview")
        expect(console.locator(".viewer")).to_contain_text(f"{here.signs_in('engineer')[0]} (engineer)")
        for dark in (True, False):
            person.page.get_by_role("button", name="User").click()
            person.page.get_by_role("menuitem", name="Appearance").click()
            person.page.get_by_role("menuitemradio", name="Dark Mode" if dark else "Light Mode").click()
            expect(console.locator("html.dark")).to_have_count(int(dark))


BROKEN = ("hr.job", "nbp.rate")


def dag_of(stream: str) -> str:
    return f"sync__{stream.partition('.')[0]}"


@pytest.fixture
def faulty(here: Installation) -> Iterator[Installation]:
    """The installation, whose DAGs of BROKEN run; in the end they are as they were, without faults."""
    api = here.api()
    paused = [dag_id for dag_id in map(dag_of, BROKEN) if api.is_paused(dag_id)]
    for dag_id in paused:
        api.unpause(dag_id)
    yield here
    here.sandbox("DELETE", "faults")
    for dag_id in paused:
        api.pause(dag_id)


def newest(at: Installation, stream: str) -> dict[str, object]:
    """State and error of the stream's newest load."""
    query = "select state, error from ops.load where system || '.' || stream = %s order by load_id desc limit 1"
    return at.rows(query, stream)[0]


def run_again(person: Person, stream: str) -> None:
    """What failed of the run is tried again, from the overview."""
    page = person.page
    person.click(person.console.get_by_role("link", name=f"The run of {stream} that failed"))
    person.click(page.get_by_role("button", name="Press shift+c to clear"))
    dialog = page.get_by_role("dialog")
    person.click(dialog.get_by_text("Clear only failed tasks"))
    person.click(dialog.get_by_role("button", name="Confirm"))
    expect(dialog).to_be_hidden()


def test_a_changed_contract_and_a_source_that_is_down_are_read_and_repaired_without_a_terminal(
    browser: Browser, faulty: Installation
) -> None:
    wrong = dict(zip(BROKEN, ("was text and is now absent", "status 503"), strict=True))
    faulty.sandbox(
        "POST", "faults", system="hr", kind="rename_field", field="employeeId", to="nr", path="jobInfo", times=-1
    )
    faulty.sandbox("POST", "faults", system="nbp", kind="status", code=503, path="tables/A", times=-1)
    api = faulty.api()
    for stream in wrong:
        api.trigger_dag(dag_of(stream), {})
    for stream in wrong:
        wait_for(lambda stream=stream: newest(faulty, stream)["error"], f"the failure of {stream}", every=0.5)
    with signed_in(browser, faulty, "engineer") as person:
        console = person.opens_the_console()
        for stream, reason in wrong.items():
            expect(
                console.get_by_role("listitem").filter(has_text=f"{stream}:").filter(has_text=reason)
            ).to_be_visible()
        assert person.clicks <= TO_THE_REASON
        faulty.sandbox("DELETE", "faults")  # who was down is asked again without anybody's doing
        run_again(person, "hr.job")
        assert person.clicks <= TO_THE_REPAIR
        assert person.said == []
    for stream in wrong:
        wait_for(lambda stream=stream: newest(faulty, stream)["state"] == "published", f"{stream} again", every=0.5)


def test_a_row_in_quarantine_is_understood_and_replayed(browser: Browser, here: Installation) -> None:
    (row,) = here.rows("select _key as key from staging.salesforce__account__current where not _deleted limit 1")
    assert len(here.rows(AS_AN_OLDER_SUITE_REFUSED_IT, row["key"])) == 1
    with signed_in(browser, here, "engineer") as person:
        console = person.opens_the_console()
        person.turns_to("Quarantine")
        person.click(console.get_by_role("link", name="more reasons"))
        rows = console.get_by_role("row").filter(has=console.get_by_role("link", name="Replay"))
        reason = rows.filter(has_text="salesforce.account").filter(has_text="fax").first
        expect(reason).to_be_visible()
        assert person.clicks <= TO_THE_REASON
        person.click(reason.get_by_role("link", name="Replay"))
        console.get_by_label("What was corrected").fill("the fax may be missing")
        person.click(console.get_by_role("button", name="Replay"))
        expect(console.get_by_text("Complete:")).to_be_visible()
        assert person.clicks <= TO_THE_REPAIR
        assert person.said == []
    assert here.rows("select from staging.salesforce__account__current where _key = %s", row["key"])


def test_an_analyst_is_refused_the_quarantine(here: Installation) -> None:
    """By Airflow's own sign-in; what the pages then show of it, tests/console proves."""
    for duty, links, status in (("engineer", True, 200), ("analyst", False, 403)):
        overview, quarantine = (here.answers("GET", f"{PREFIX}/{page}", duty) for page in ("overview", "quarantine"))
        assert (overview.status_code, ">Quarantine</a>" in overview.text) == (200, links)
        assert quarantine.status_code == status
    assert "Not allowed" in quarantine.text
