"""The installation of the scheduler's tests, after all that the README says; the other pages go on from there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.docs.pages import README, Block, blocks
from tests.scheduler.demo import FIRST_COMMAND, Demo, running
from tests.scheduler.installation import Installation, ended


@dataclass(frozen=True)
class Reader:
    """Somebody who types what the docs say, in the project's folder. `said` is what the README's blocks printed."""

    installation: Installation
    said: str = ""

    def types(self, block: Block) -> str:
        """Run a block of shell; what it printed. Fails the test when any command in it fails."""
        return self._said(block, self.installation.types(block.text))

    def asks(self, block: Block, role: str) -> str:
        """Run a block of SQL as a role of the warehouse; its rows as CSV."""
        return self._said(block, self.installation.start("sql", "--csv", "--as", role, block.text))

    @staticmethod
    def _said(block: Block, process: subprocess.Popen[str]) -> str:
        with process:
            done = ended(process)
        assert done.code == 0, f"{block.where} fails:\n{block.text}\n{done.output}\n{done.errors}"
        return done.output


@pytest.fixture(scope="session")
def reader(first_demo: Demo) -> Iterator[Reader]:
    """A reader of the README, after its last block but one; the last one ends the installation."""
    demo, *others, last = blocks(README, "sh")
    assert demo.text.strip() == FIRST_COMMAND  # which the first demo has typed
    installation = running(first_demo.installation)
    beginner = Reader(installation)
    yield Reader(installation, "".join(beginner.types(block) for block in others))
    beginner.types(last)
