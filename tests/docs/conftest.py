"""The installation of the scheduler's tests, after all that the README says; the other pages go on from there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from click.testing import CliRunner

from onefold.commands.sql import sql
from tests.docs.pages import README, Block, blocks
from tests.scheduler.demo import FIRST_COMMAND, Demo, running
from tests.scheduler.installation import Installation, ended


@dataclass(frozen=True)
class Reader:
    """Somebody who types what the docs say, in the project's folder. `said` is what the README's blocks printed."""

    installation: Installation
    said: str = ""
    typed: set[str] = field(default_factory=set)
    """The commands whose output went to the screen: on another page the same words do the same again."""

    def types(self, block: Block) -> str:
        """Run a block of shell; what it printed. Fails the test when any command in it fails."""
        lines = [line for line in block.text.splitlines() if line not in self.typed]
        self.typed.update(line for line in lines if line.startswith("bin/onefold ") and not set(line) & set("$>|"))
        return self._said(block, self.installation.types("\n".join(lines)))

    def asks(self, block: Block, role: str) -> str:
        """Run a block of SQL as a role of the warehouse; its rows as CSV. The command runs in this process: Python and
        its imports would take longer than most queries. What the docs type with `bin/onefold sql` starts it."""
        with pytest.MonkeyPatch.context() as environment:
            for name in [each for each in os.environ if each.startswith("ONEFOLD_")]:
                environment.delenv(name)
            done = CliRunner(env=self.installation.variables).invoke(sql, ["--csv", "--as", role, block.text])
        assert done.exit_code == 0, f"{block.where} fails:\n{block.text}\n{done.output}\n{done.exception}"
        return done.stdout

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
    said = "".join(beginner.types(block) for block in others)
    yield Reader(installation, said, beginner.typed)
    beginner.types(last)
