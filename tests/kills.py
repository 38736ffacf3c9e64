"""Counts what the tests have killed, and says at the end of the run what of, and how: `make torture` ends with it.

A kill counts only when it has hit: whoever calls `count_kill` has seen that what was killed had not ended by itself.
With pytest-xdist each worker counts its own, and tells.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

import pytest

Kind = Literal[
    "load",
    "conform",
    "migration",
    "erasure",
    "retention",
    "schema upgrade",
    "replay",
    "receiver",
    "demo",
    "write-back",
    "delivery",
]
How = Literal["process", "session", "server"]
"""SIGKILL of a process; the server ends a session at a statement; the server itself dies (SIGQUIT or SIGKILL)."""
HOWS: tuple[How, ...] = ("process", "session", "server")
CORE: tuple[Kind, ...] = ("load", "conform", "migration", "erasure")
"""Those of which `make torture` has at least 300 together."""

_KEY = "onefold kills"
_counted: Counter[tuple[str, str]] = Counter()


def count_kill(kind: Kind, how: How) -> None:
    """One more has been killed."""
    _counted[kind, how] += 1


def table(counted: Counter[tuple[str, str]]) -> list[str]:
    """The lines of the table; none when nothing was killed."""
    kinds = [*CORE, *sorted({kind for kind, _ in counted} - set(CORE))]
    rows = [[kind, *(counted[kind, how] for how in HOWS)] for kind in kinds]
    rows = [[*row, sum(row[1:])] for row in rows]
    core = [row for row in rows if row[0] in CORE]
    rows.append([" + ".join(CORE), *(sum(row[at] for row in core) for at in range(1, len(HOWS) + 2))])
    head = ["killed", *HOWS, "all"]
    width = max(len(str(row[0])) for row in rows)
    return (
        [f"{row[0]!s:<{width}}" + "".join(f"{cell!s:>9}" for cell in row[1:]) for row in [head, *rows]]
        if any(counted.values())
        else []
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands its figures over."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_KEY] = [[kind, how, number] for (kind, how), number in _counted.items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take a worker's figures over."""
    for kind, how, number in getattr(node, "workeroutput", {}).get(_KEY, []):
        _counted[kind, how] += number


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it at the end."""
    if lines := table(_counted):
        terminalreporter.section("what was killed, and ended as if nothing had been")
        for line in lines:
            terminalreporter.line(line)
