"""`make screenshots`: the docs' pictures, taken from a demo that is run for it. Takes some minutes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from onefold.platform.api import DagRun
from onefold.settings import ROOT
from tests.browser import browsing
from tests.scheduler.installation import Installation, wait_for
from tests.scheduler.person import Person, signed_in

IMAGES = ROOT / "docs" / "images"
DRAWN = 2_000
"""Milliseconds until charts and transitions have come to rest."""


def main() -> None:
    """Run a demo in a home of its own, break a contract, and take every picture."""
    here = Installation()
    here.home.chmod(0o755)
    try:
        here.succeed("demo")
        broken = _broken_contract(here)
        with (
            tempfile.TemporaryDirectory() as cache,
            browsing(Path(cache)) as browser,
            signed_in(browser, here, "engineer") as person,
        ):
            for name, (size, show) in PICTURES.items():
                width, height = size
                person.page.set_viewport_size({"width": width, "height": height})
                show(person, broken)
                person.page.wait_for_timeout(DRAWN)
                person.page.screenshot(path=IMAGES / f"{name}.png")
                print(f"docs/images/{name}.png")
    finally:
        here.remove()


def _broken_contract(here: Installation) -> DagRun:
    """A run that is refused because its source has changed its contract."""
    fault = {
        "kind": "retype_field",
        "field": "OrganizationBPName1",
        "to": "object",
        "path": "A_BusinessPartner",
        "times": -1,
    }
    here.sandbox("POST", "faults", system="sap", **fault)
    here.sandbox("POST", "advance", changes=40)
    run = here.api().trigger_dag("sync__sap", {})
    wait_for(lambda: here.api().dag_run("sync__sap", run.run_id).state == "failed", "the refused run", every=0.5)
    return run


def _overview(person: Person, _: DagRun) -> None:
    person.opens_the_console().locator("h1").wait_for()


def _dags(person: Person, _: DagRun) -> None:
    person.page.goto("/dags?tags=sync&tags=conform&tags_match_mode=any&sort=dag_display_name")
    person.page.get_by_role("button", name="Show table view").click()
    person.page.get_by_role("link", name="sync__hr").wait_for()


def _failed_gate(person: Person, broken: DagRun) -> None:
    person.page.goto(f"/dags/{broken.dag_id}/runs/{broken.run_id}/tasks/business_partner")
    person.page.get_by_text("Task failed with exception").first.hover()
    person.page.mouse.wheel(0, -2_000)  # the log begins at its end
    person.page.get_by_text("Step gate failed").first.wait_for()


PICTURES: Mapping[str, tuple[tuple[int, int], Callable[[Person, DagRun], None]]] = {
    "overview": ((1400, 860), _overview),
    "dags": ((1400, 860), _dags),
    "failed-gate": ((1360, 481), _failed_gate),
}
"""The pictures by name: the window's size, and what is looked at."""


if __name__ == "__main__":
    main()
