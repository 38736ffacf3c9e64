"""The README's table of systems, written from the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.settings import ROOT

README = ROOT / "README.md"
_BETWEEN = re.compile(r"(?<=<!-- systems -->\n).*?(?=<!-- systems -->)", re.DOTALL)
_HEAD = "| System | Protocol | Schedule (UTC) | Tables |\n|---|---|---|---|\n"


def generate(systems: Iterable[System], check: bool, readme: Path = README) -> list[Path]:
    """Write the table where it differs and return the README's path then; `check` only returns it.

    Raises Fatal when the README has lost the two marks between which the table stands.
    """
    text = readme.read_text(encoding="utf-8")
    table = systems_table(systems)
    fresh, places = _BETWEEN.subn(lambda _: table, text)
    if places != 1:
        raise Fatal(f"{readme}: the table of systems stands between two lines <!-- systems -->; put them back")
    if fresh == text:
        return []
    if not check:
        readme.write_text(fresh, encoding="utf-8")
    return [readme]


def systems_table(systems: Iterable[System]) -> str:
    """One row a system, as Markdown: title (a link to its page), protocol, schedule, staging tables."""
    return _HEAD + "".join(f"| {' | '.join(_row(system))} |\n" for system in systems)


def _row(system: System) -> tuple[str, ...]:
    tables = ", ".join(f"`staging.{system.system}__{stream}`" for stream in system.streams)
    return f"[{system.title}](docs/systems/{system.system}.md)", system.protocol, f"`{system.schedule}`", tables
