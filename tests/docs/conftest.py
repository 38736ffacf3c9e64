"""The installation of the scheduler's tests, after all that the README says; the other pages go on from there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from onefold.settings import ROOT
from tests.docs.pages import README, Block, blocks
from tests.scheduler.demo import Demo, running
from tests.scheduler.installation import PATIENCE, Installation


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
            env=self.installation.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{block.where} fails:\n{block.text}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def reader(first_demo: Demo) -> Iterator[Reader]:
    """A reader of the README, after its last block but one; the last one ends the installation."""
    *first, last = blocks(README, "sh")
    installation = running(first_demo.installation)
    beginner = Reader(installation)
    yield Reader(installation, "".join(beginner.types(block) for block in first))
    beginner.types(last)
