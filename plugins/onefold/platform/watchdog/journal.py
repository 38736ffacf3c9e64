"""What the watchdog leaves in home/run/watchdog.state for `onefold status`, the health page, and its own next start."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from onefold.platform.watchdog.problems import Problem
from onefold.private_files import draft_private, private_folder


@dataclass(frozen=True, slots=True)
class Journal:
    """`beat`: when the watchdog looked last; `every`: how often it does; both in seconds (since 1970).

    `restarts`: when it restarted each service, within the last day. `given_up`: those that it restarts no more.
    """

    beat: float
    every: float
    problems: tuple[Problem, ...] = ()
    restarts: Mapping[str, Sequence[float]] = field(default_factory=dict)
    given_up: tuple[str, ...] = ()

    def is_silent(self, now: float) -> bool:
        """Whether the watchdog ought to have looked again since. A restart of a service takes up to half a minute."""
        return now - self.beat > 3 * self.every + 60


def write_journal(home: Path, journal: Journal) -> None:
    """Replace the file as a whole; it has names and figures only."""
    path = _path(home)
    private_folder(path.parent)
    draft_private(path, json.dumps(asdict(journal)).encode()).replace(path)


def read_journal(home: Path) -> Journal | None:
    """What was written last; None where no watchdog has run yet, or its file cannot be read."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        stored = json.loads(_path(home).read_text())
        problems = tuple(Problem(**problem) for problem in stored.pop("problems"))
        return Journal(**{**stored, "problems": problems, "given_up": tuple(stored["given_up"])})
    return None


def _path(home: Path) -> Path:
    return home / "run" / "watchdog.state"
