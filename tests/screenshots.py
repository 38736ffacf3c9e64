"""`make screenshots`: the docs' pictures, taken from a demo that is run for it. Takes some minutes.

The variables ONEFOLD_PG_PORT, ONEFOLD_UI_PORT, ONEFOLD_SANDBOX_PORT, ONEFOLD_HOOKS_PORT, ONEFOLD_API_PORT and
ONEFOLD_METRICS_PORT choose other ports than free ones.
"""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from onefold.orchestration.duties import Duty
from onefold.platform.api import DagRun
from onefold.settings import ROOT
from tests.browser import browsing
from tests.scheduler.installation import Installation, wait_for
from tests.scheduler.person import Person, approved, signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IMAGES = ROOT / "docs" / "images"
DRAWN = 2_000
"""Milliseconds until charts and transitions have come to rest."""
COLOURS = 128
"""So many are enough for a page, and make its picture a third as large."""
MOST_KIB = 150


class Scene:
    """An installation after a demo, in which what the pictures show has happened."""

    def __init__(self, here: Installation) -> None:
        self.here = here

    def reconciled(self) -> None:
        """One stream was compared with its source, after a record of it was lost."""
        self.here.rows(
            "delete from staging.sap__business_partner where _key in"
            " (select _key from staging.sap__business_partner__current where not _deleted order by _key limit 3)"
            " returning _key"
        )
        self.here.run("reconcile", "sap.business_partner")

    def asked(self, command: str, *arguments: str) -> DagRun:
        """The run that this command has started, once it waits for somebody's approval."""
        api = self.here.api()
        said = json.loads(self.here.succeed(command, *arguments, "--json"))
        run = api.dag_run(command, said["run_id"])
        wait_for(
            lambda: any(each.state == "awaiting_input" for each in api.task_instances(run)),
            f"the question of {run.run_id}",
            every=0.5,
        )
        return run

    def rolled_back_customer(self, browser: Browser) -> None:
        """The load that brought the demo's new customer is rolled back, after other systems have got it; its sync does
        not bring it again."""
        self.here.api().pause("sync__salesforce")
        (made,) = self.here.rows(
            "select load_id from ops.outbox as o join ops.publish_load using (publish_id) join ops.load using (load_id)"
            " where o.change = 'create' and system = 'salesforce' and stream = 'account' order by intent_id limit 1"
        )
        run = self.asked("rollback", str(made["load_id"]), "--reason", "a company of a test")
        approved(browser, self.here, run)
        targets = self.here.rows("select distinct target from ops.outbox")
        wait_for(
            lambda: len(targets) == len(self.here.rows("select from ops.outbox where state = 'refused'")),
            "what write-back says of a record that it may not delete",
        )

    def broken_contract(self) -> DagRun:
        """A run that is refused because its source has changed its contract."""
        fault = {
            "kind": "retype_field",
            "field": "OrganizationBPName1",
            "to": "object",
            "path": "A_BusinessPartner",
            "times": -1,
        }
        self.here.sandbox("POST", "faults", system="sap", **fault)
        self.here.sandbox("POST", "advance", changes=40)
        api = self.here.api()
        run = api.trigger_dag("sync__sap", {})
        wait_for(lambda: api.dag_run("sync__sap", run.run_id).state == "failed", "the refused run", every=0.5)
        return run


def _golden_record(person: Person, scene: Scene) -> None:
    (row,) = scene.here.rows(
        "select customer_id::text as id, legal_name from conformed.customer"
        " where legal_name is not null and krs is not null and warnings = '{}'"
        " order by cardinality(systems) desc, record_count, customer_id limit 1"
    )
    console = person.opens_the_console()
    person.turns_to("Golden records")
    console.get_by_label("Name or number").fill(str(row["legal_name"]))
    console.get_by_label("Entity").select_option("customer")
    console.get_by_role("button", name="Search").click()
    console.locator(f"a[href$='{row['id']}']").first.click()
    console.locator("[data-attribute=legal_name]").wait_for()


def _overview(person: Person, _: Scene) -> None:
    person.opens_the_console().locator("h1").wait_for()


def _dags(person: Person, _: Scene) -> None:
    person.page.goto("/dags?tags=sync&tags=conform&tags_match_mode=any&sort=dag_display_name")
    person.page.get_by_role("button", name="Show table view").click()
    person.page.get_by_role("link", name="sync__hr").wait_for()


def _failed_gate(person: Person, scene: Scene) -> None:
    broken = scene.broken_contract()
    person.page.goto(f"/dags/{broken.dag_id}/runs/{broken.run_id}/tasks/business_partner")
    person.page.get_by_text("Task failed with exception").first.hover()
    person.page.mouse.wheel(0, -2_000)  # the log begins at its end
    person.page.get_by_text("Step gate failed").first.wait_for()


def _backfill(person: Person, _: Scene) -> None:
    page = person.page
    page.goto("/dags/sync__nbp")
    page.get_by_role("button", name="Trigger").click()
    page.get_by_text("Backfill", exact=True).last.click()
    page.get_by_text("All Runs").click()


def _replay(person: Person, _: Scene) -> None:
    console = person.opens_the_console()
    person.turns_to("Quarantine")
    reason = console.get_by_role("row").filter(has_text="erp.faktura_pozycja").first
    reason.get_by_role("link", name="Replay").click()
    console.get_by_label("What was corrected").fill("a line may have the quantity 0")


def _reconcile(person: Person, scene: Scene) -> None:
    scene.reconciled()
    console = person.opens_the_console()
    person.turns_to("Operations")
    console.get_by_role("link", name="reconciliation").first.click()
    console.locator("h1").wait_for()


def _approval(run: DagRun, person: Person) -> None:
    person.page.goto(f"/dags/{run.dag_id}/runs/{run.run_id}/tasks/approve/required_actions")
    person.page.get_by_role("button", name="Approve").wait_for()


def _migrate(person: Person, scene: Scene) -> None:
    window = ("--from", "2024-01-01", "--to", "2026-01-01", "--chunk-days", "365")
    reason = ("--reason", "orders from before the new CRM")
    _approval(scene.asked("migrate", "salesforce", "order", *window, *reason), person)


def _rollback(person: Person, scene: Scene) -> None:
    query = "select max(load_id) as load_id from ops.load where system = 'nbp' and state = 'published'"
    (newest,) = scene.here.rows(query)
    asked = scene.asked("rollback", str(newest["load_id"]), "--reason", "rates of the wrong table")
    _approval(asked, person)


def _written_out(person: Person, scene: Scene) -> None:
    browser = person.page.context.browser
    assert browser is not None
    scene.rolled_back_customer(browser)
    console = person.opens_the_console()
    person.turns_to("Operations")
    console.get_by_role("link", name=re.compile(r"^rollback \d+$")).first.click()
    console.locator("#written-out").scroll_into_view_if_needed()


def _write_back(person: Person, _: Scene) -> None:
    console = person.opens_the_console()
    person.turns_to("Write-back")
    console.locator("[data-intent]").first.wait_for()


PICTURES: Mapping[str, tuple[tuple[int, int], Duty, Callable[[Person, Scene], None]]] = {
    "golden-record": ((1500, 800), "engineer", _golden_record),
    "dags": ((1400, 860), "engineer", _dags),
    "backfill": ((1400, 1000), "engineer", _backfill),
    "replay": ((1400, 480), "engineer", _replay),
    "reconcile": ((1400, 720), "engineer", _reconcile),
    "written-out": ((1400, 900), "engineer", _written_out),
    "write-back": ((1500, 860), "engineer", _write_back),
    "migrate-approve": ((1400, 1010), "approver", _migrate),
    "rollback-approve": ((1400, 660), "approver", _rollback),
    "failed-gate": ((1360, 481), "engineer", _failed_gate),
    "overview": ((1720, 900), "engineer", _overview),
}
"""The pictures by name, in the order in which they are taken: the window's size, whose, and what is looked at."""


def take(here: Installation, *names: str) -> None:
    """Take these pictures, or all, of an installation after its demo."""
    scene = Scene(here)
    with tempfile.TemporaryDirectory() as cache, browsing(Path(cache)) as browser:
        for name in names or PICTURES:
            (width, height), duty, show = PICTURES[name]
            with signed_in(browser, here, duty) as person:
                person.page.set_viewport_size({"width": width, "height": height})
                show(person, scene)
                person.page.wait_for_timeout(DRAWN)
                _write(person.page.screenshot(), IMAGES / f"{name}.png")


def _write(png: bytes, file: Path) -> None:
    """The picture with few colours, so that a clone of the project stays small."""
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    kib = file.stat().st_size // 1024
    print(f"{file.relative_to(ROOT)}: {kib} KiB")
    assert kib <= MOST_KIB, f"{file} is larger than {MOST_KIB} KiB"


def main() -> None:
    """Run a demo in a home of its own, and take every picture."""
    ports = {
        field: int(os.environ[variable])
        for field, variable in (
            ("pg_port", "ONEFOLD_PG_PORT"),
            ("ui_port", "ONEFOLD_UI_PORT"),
            ("sandbox_port", "ONEFOLD_SANDBOX_PORT"),
            ("hooks_port", "ONEFOLD_HOOKS_PORT"),
            ("api_port", "ONEFOLD_API_PORT"),
            ("metrics_port", "ONEFOLD_METRICS_PORT"),
        )
        if variable in os.environ
    }
    here = Installation(**ports)
    here.home.chmod(0o755)
    try:
        here.succeed("demo")
        take(here)
    finally:
        here.remove()


if __name__ == "__main__":
    main()
