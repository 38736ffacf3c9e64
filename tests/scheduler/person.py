"""A person at Airflow's UI, in a real browser: what they click is counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from onefold.orchestration.duties import Duty
from onefold.platform.api import FINISHED, DagRun
from tests.browser import WIDTHS, complaints
from tests.scheduler.installation import Installation, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator, Locator, Page

TO_THE_REASON, TO_THE_REPAIR = 3, 6
"""So many clicks at most, after the sign-in."""
PATIENCE = 120_000
"""Milliseconds after which a page is not coming any more, on a machine under load."""


@dataclass
class Person:
    """Somebody who has signed in. `said`: the errors of the browser's console."""

    page: Page
    said: list[str]
    clicks: int = field(default=0, init=False)

    def click(self, where: Locator) -> None:
        """One click, once there is what it is for."""
        where.click()
        self.clicks += 1

    def opens_the_console(self) -> FrameLocator:
        """The console's first page, from Airflow's menu: one click."""
        self.click(self.page.get_by_role("link", name="Onefold"))
        return self.console

    def turns_to(self, title: str) -> None:
        """Another page of the console, from its own menu."""
        self.click(self.console.get_by_role("navigation").get_by_role("link", name=title))

    def approves(self, run: DagRun) -> None:
        """What this run asks, read on the console's page of operations and answered where its link leads."""
        self.opens_the_console()
        self.turns_to("Operations")
        asking = self.console.locator(f"a[href*='{quote(run.run_id, safe='')}']")
        self.click(asking.filter(has_text="Decide"))
        self.click(self.page.get_by_role("button", name="Approve"))

    def rolls_back_the_run_of(self, stream: str, load: object, reason: str) -> None:
        """All loads of this load's run, found by its stream on the console's first page."""
        self.opens_the_console()
        self.click(self.console.get_by_role("link", name=f"Roll back loads of {stream}", exact=True))
        self.click(self.console.get_by_role("link", name=f"Roll back the whole run of load {load}", exact=True))
        self._asks("Roll back", "Rollback", reason)

    def undoes(self, rollback: object, reason: str) -> None:
        """A rollback, found on the console's page of operations."""
        self.opens_the_console()
        self.turns_to("Operations")
        row = self.console.get_by_role("row").filter(has=self.console.get_by_text(f"rollback {rollback}", exact=True))
        self.click(row.get_by_role("link", name="Undo it"))
        self._asks("Undo", "Rollback", reason)

    def migrates(self, stream: str, window: tuple[str, str], chunk_days: int, reason: str) -> None:
        """A window of a stream, found on the console's first page."""
        self.opens_the_console()
        self.click(self.console.get_by_role("link", name=f"Migrate a window of {stream}", exact=True))
        for label, instant in zip(("From, UTC", "To, UTC"), window, strict=True):
            self.console.get_by_label(label).fill(instant)
        self.console.get_by_label("How many days").fill(str(chunk_days))
        self._asks("Start the migration", "Migration", reason)

    def _asks(self, button: str, operation: str, reason: str) -> None:
        """The reason is given, the form is sent, and the page goes on to that of the operation by itself."""
        self.console.get_by_label("Why?").fill(reason)
        assert self.clicks <= TO_THE_REASON
        self.click(self.console.get_by_role("button", name=button))
        self.console.get_by_role("heading", level=1).filter(has_text=re.compile(rf"{operation} \d+: ")).wait_for()
        assert self.clicks <= TO_THE_REPAIR

    def is_refused_their_own_approval(self) -> None:
        """Of the operation whose page is shown: Airflow says that it is denied, and not that it was successful."""
        self.click(self.console.get_by_role("link", name="Plan in Airflow"))
        self.click(self.page.get_by_role("button", name="Approve"))
        self.page.get_by_text("Access Denied").wait_for()
        assert self.page.get_by_text("response successful").count() == 0
        self.said.clear()  # that the server has answered 403

    @property
    def console(self) -> FrameLocator:
        """The console in its frame of Airflow's UI."""
        return self.page.frame_locator("iframe")


@contextmanager
def signed_in(browser: Browser, at: Installation, duty: Duty) -> Iterator[Person]:
    """A person with this duty, who has signed in on a desktop and looks at Airflow's first page."""
    width, height = WIDTHS["desktop"]
    address = f"http://127.0.0.1:{at.ui_port}"
    with browser.new_context(base_url=address, viewport={"width": width, "height": height}) as context:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        said = complaints(page)
        name, password = at.signs_in(duty)
        page.goto("/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Onefold").wait_for()
        said.clear()  # that nobody had signed in
        yield Person(page, said)


def approved(browser: Browser, at: Installation, run: DagRun) -> DagRun:
    """The run, ended, after the approver has approved it in the UI by few clicks."""
    with signed_in(browser, at, "approver") as person:
        person.approves(run)
        assert person.clicks <= TO_THE_REPAIR

        def ended() -> DagRun | None:
            now = at.api().dag_run(run.dag_id, run.run_id)
            return now if now.state in FINISHED else None

        return wait_for(ended, f"the end of {run.run_id}", every=0.5)
