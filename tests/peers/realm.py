"""An OpenID provider with people, and an installation whose people are its."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from onefold.audit.person import Person
from onefold.settings import ROOT
from tests.peers.environment import environment
from tests.peers.node import Node, serving
from tests.scheduler.installation import Installation

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, Browser, Page

PATIENCE = 120_000
"""Milliseconds after which a page is not coming any more, on a machine under load."""


@dataclass(frozen=True)
class Realm:
    """The provider, whose people stand in a file, by subject."""

    url: str
    file: Path

    def has(self, subject: str, groups: Sequence[str], given: str = "Ewa", family: str = "Nowak") -> None:
        """From their next sign-in on this person is called so, and is in these groups."""
        people = json.loads(self.file.read_text())
        email = f"{given}.{family}@firma.example.pl".lower()
        named = {"given_name": given, "family_name": family, "email": email}
        people[subject] = {**named, "groups": [f"onefold-{group}" for group in groups]}
        self.file.write_text(json.dumps(people))

    def account(self, subject: str) -> str:
        """The name by which Airflow knows the person."""
        return Person(self.url, subject).account


@contextmanager
def realm_of(node: Node, folder: Path, ui_port: int) -> Iterator[Realm]:
    """The provider, running, without people; it knows the installation at this port."""
    installed = node.installed("oidc", folder)
    people = folder / "people.json"
    people.write_text("{}")
    callback = f"http://127.0.0.1:{ui_port}/auth/oauth-authorized/realm"
    path = "/.well-known/openid-configuration"
    with serving(node, installed, "serve.js", path=path, PEOPLE=str(people), CALLBACK=callback) as url:
        yield Realm(url, people)


def program() -> Sequence[str]:
    """bin/onefold in an environment that has what signs people in; the rest it has from the project's own."""
    home = environment("sign-in", pinned=ROOT / "requirements" / "sign-in.txt")
    (packages,) = (home.parent / "lib").glob("python*/site-packages")
    (ours,) = (ROOT / ".venv" / "lib").resolve().glob("python*/site-packages")
    (packages / "onefold.pth").write_text(f"{ours}\n{ROOT / 'plugins'}\n{ROOT}\n")
    return (str(home / "python"), "-m", "onefold.commands.main")


@dataclass(frozen=True)
class Visitor:
    """Somebody in a browser of their own."""

    page: Page

    def signs_in(self, subject: str, opens: str = "/dags") -> None:
        """Open a page of the UI and sign in at the provider, which is asked for this."""
        self.page.goto(opens)
        self.page.locator("input[name=login]").fill(subject)
        self.page.locator("input[name=password]").fill("any")
        self.page.locator("button[type=submit]").click()
        self.page.locator("form[action$='/confirm'], input[value=consent]").first.wait_for(state="attached")
        self.page.locator("button[type=submit]").click()

    def comes_back(self, opens: str = "/dags") -> None:
        """As when the token has ended: the provider, where the person is still signed in, is asked again."""
        self.page.context.clear_cookies(name="_token")
        self.page.goto(opens)

    def token(self) -> str | None:
        """What the UI has been given for this person."""
        return next((each["value"] for each in self.page.context.cookies() if each["name"] == "_token"), None)

    def asks(self, method: str, path: str, body: object = None) -> APIResponse:
        """What Airflow's API answers the browser of this person."""
        return self.page.request.fetch(f"/api/v2/{path}", method=method, data=body, timeout=PATIENCE)


@contextmanager
def visiting(browser: Browser, at: Installation) -> Iterator[Visitor]:
    """Somebody whom no cookie knows."""
    with browser.new_context(base_url=f"http://127.0.0.1:{at.ui_port}") as context:
        context.set_default_timeout(PATIENCE)
        yield Visitor(context.new_page())
