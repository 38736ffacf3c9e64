"""The watchdog's loop: look, decide, restart, tell, and leave a sign of life."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from onefold.errors import OnefoldError, raised_at
from onefold.platform import processes
from onefold.platform.lifecycle import Installation
from onefold.platform.watchdog.decide import Restart, decide
from onefold.platform.watchdog.journal import Journal, read_journal, write_journal
from onefold.platform.watchdog.limits import DAY, Limits
from onefold.platform.watchdog.problems import Problem
from onefold.platform.watchdog.snapshot import DATABASE, Memory, ServiceMemory, Snapshot

log = logging.getLogger(__name__)


class Teller(Protocol):
    """Tells people what is wrong; returns False when that has to be repeated."""

    def tell(self, problems: Sequence[Problem], restarts: Sequence[tuple[Restart, bool]]) -> bool: ...


def restarter(target: Installation) -> Callable[[str], None]:
    """Restarts a service of this machine's installation."""

    def restart(name: str) -> None:
        home = target.settings.home
        if name == DATABASE:
            target.postgres.start()
            return
        running = processes.recorded(home).get(name)
        processes.stop(home, [running] if running else [])
        for service in target.services:
            if service.name == name:
                processes.start(home, service)

    return restart


@dataclass
class Watchdog:
    """One installation's watchdog. `home` has its journal, `look` takes a snapshot, `teller` tells people.

    `restart` restarts a service, and raises OnefoldError or OSError when it cannot; None where others restart, and the
    watchdog only tells. `end_readers` ends sessions in the warehouse that hold others up, and raises nothing.
    """

    home: Path
    limits: Limits
    look: Callable[[], Snapshot]
    restart: Callable[[str], None] | None
    teller: Teller
    end_readers: Callable[[], None] = lambda: None
    memory: Memory = field(default_factory=Memory)
    untold: list[tuple[Restart, bool]] = field(default_factory=list)

    def run(self, stopped: Callable[[float], bool]) -> None:
        """Make rounds until `stopped`, which waits so many seconds, says so. A round that fails is logged and leaves no
        sign of life: nothing that it meets may end the watchdog."""
        while not stopped(self.limits.every):
            try:
                self.round()
            except Exception as error:  # noqa: BLE001  whatever it is, the next round is another one
                why = str(error) if isinstance(error, OnefoldError) else f"{type(error).__name__} at {raised_at(error)}"
                log.error("This round failed (%s). The next begins in %.0f s.", why, self.limits.every)  # noqa: TRY400

    def round(self) -> None:
        """Look once and do what is to be done; while `up` or `down` is at work, only give a sign of life."""
        with ExitStack() as stack:
            if not stack.enter_context(processes.changing(self.home, wait=0)):
                self._leave_sign(read_journal(self.home))
                return
            seen = self.look()
            decision = decide(seen, self._remembered(seen), self.limits, may_restart=self.restart is not None)
            self.memory = decision.memory
            for restart in decision.restarts:
                self.untold.append((restart, self._restart(restart)))
        write_journal(self.home, self._journal(decision.problems))
        if self.teller.tell(decision.problems, self.untold):
            self.untold.clear()
        self.end_readers()

    def _restart(self, restart: Restart) -> bool:
        log.warning("restarts %s: %s", restart.service, restart.reason)
        if self.restart is None:
            return False
        try:
            self.restart(restart.service)
        except (OnefoldError, OSError) as error:
            log.warning("%s could not be restarted: %s", restart.service, error)
            return False
        return True

    def _remembered(self, seen: Snapshot) -> Memory:
        """At the first look, the restarts that the watchdog before this one has made."""
        before = read_journal(self.home) if self.memory.at is None else None
        if before is None:
            return self.memory
        ago = time.time() - seen.at
        services = {
            service.name: ServiceMemory(
                service.instance,
                service.sign,
                seen.at,
                restarts=tuple(at - ago for at in before.restarts.get(service.name, ())),
                given_up=service.name in before.given_up,
            )
            for service in seen.services
        }
        return Memory(seen.at, services)

    def _journal(self, problems: Sequence[Problem]) -> Journal:
        now, services = self.memory.at or 0, self.memory.services
        ago = time.time() - now
        restarts = {name: [at + ago for at in one.restarts if now - at < DAY] for name, one in services.items()}
        given_up = tuple(name for name, one in services.items() if one.given_up)
        made = {name: times for name, times in restarts.items() if times}
        return Journal(time.time(), self.limits.every, tuple(problems), made, given_up)

    def _leave_sign(self, before: Journal | None) -> None:
        problems = before.problems if before else ()
        write_journal(self.home, self._journal(problems))
