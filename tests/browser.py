"""A real browser for tests: Debian's Chromium, installed or unpacked into a folder, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from onefold.settings import ROOT
from tests.debian import libraries, unpack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

PACKAGE = "chromium"
NEEDS = r"chromium-common|lib(?!gtk-).*"
"""The toolkit is for windows on a screen."""
ALONE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""It asks nobody but who the tests name."""
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>/usr/share/fonts</dir><dir>{ours}</dir><cachedir>{cache}</cachedir></fontconfig>
"""
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}


@dataclass(frozen=True)
class Chromium:
    """The browser's program and the environment that it starts in."""

    program: Path
    environment: Mapping[str, str]


def chromium(cache: Path) -> Chromium:
    """The installed Chromium, or one unpacked below `cache`. Fails the test with what to do when there is neither."""
    if found := shutil.which("chromium", path=f"{os.environ.get('PATH', '')}:/usr/bin"):
        return Chromium(Path(found), dict(os.environ))
    program = cache / "usr" / "lib" / "chromium" / "chromium"
    if not program.exists():
        unpack(PACKAGE, cache, NEEDS)
    fonts = cache / "fonts.conf"
    fonts.write_text(FONTS.format(ours=ROOT / "plugins/onefold/subject_report/fonts", cache=cache / "fonts"))
    places = {"LD_LIBRARY_PATH": libraries(cache), "FONTCONFIG_FILE": str(fonts)}
    return Chromium(program, {**os.environ, **places})


@contextmanager
def browsing(cache: Path) -> Iterator[Browser]:
    """A running browser with a profile of its own, ended at the end.

    Until then an event loop of Playwright's runs in this thread: other tests must not begin theirs, so a browser is a
    module's and not a session's.
    """
    from playwright.sync_api import sync_playwright  # a quarter of a second that most tests need not pay

    found = chromium(cache)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.program, args=[*ALONE], env=dict(found.environment), timeout=120_000
        )
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="session")
def browser_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a browser is unpacked on a machine that has none; 340 MB, which nobody keeps."""
    cache = tmp_path_factory.mktemp("chromium")
    yield cache
    shutil.rmtree(cache)


@pytest.fixture(scope="module")
def browser(browser_cache: Path) -> Iterator[Browser]:
    """The browser of a module's tests."""
    with browsing(browser_cache) as browser:
        yield browser


def complaints(page: Page) -> list[str]:
    """What the page's console will say of errors, and what its scripts will fail with; call it before going there."""
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            said.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


BY_LOOK = ["color-contrast", "link-in-text-block", "scrollable-region-focusable"]
"""The rules of axe that a page may break in one width or colour scheme and keep in another."""


def barriers(page: Page, *rules: str) -> list[str]:
    """What axe finds by these rules (by all, where none is named) that keeps people out: serious and critical
    violations, each with the first element."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    found = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [
        f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def too_wide(page: Page) -> list[str]:
    """The elements that make the page wider than its window."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.body.querySelectorAll("*")].filter(each => each.getBoundingClientRect().right > innerWidth + 1)
        .filter(each => !each.parentElement.closest(".wide")).map(each => each.outerHTML.slice(0, 120))
        .concat("the page")"""
    )
