"""One installation that has done all that the README says; the other pages go on from there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from onefold.settings import ROOT
from tests.docs.pages import README, Block, blocks
from tests.scheduler.installation import Installation

SECONDS = 300


@dataclass(frozen=True)
class Reader:
    """Somebody who types what the docs say, in the project's folder. `said` is what the README's blocks printed."""

    installation: Installation
    said: str = ""

    def types(self, block: Block) -> str:
        """Run a block of shell; what it printed. Fails the test when any command in it fails."""
        return self._run(block, ["bash", "-euo", "pipefail", "-c", block.text])

    def asks(self, block: Block, role: str) -> str:
        """Run a block of SQL as a role of the warehouse; its rows as CSV."""
        return self._run(block, ["bin/onefold", "sql", "--csv", "--as", role, block.text])

    def _run(self, block: Block, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**self.installation.variables, "SANDBOX_COMPANIES": "150"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{block.where} fails:\n{block.text}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def reader() -> Iterator[Reader]:
    """A reader of the README, after its last block but one; the last one ends the installation."""
    *first, last = blocks(README, "sh")
    installation = Installation()
    installation.home.chmod(0o755)  # the unprivileged account that PostgreSQL gets when root runs it must come in
    beginner = Reader(installation)
    try:
        yield Reader(installation, "".join(beginner.types(block) for block in first))
        beginner.types(last)
    finally:
        installation.remove()
