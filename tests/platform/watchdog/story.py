"""An installation as the watchdog sees it, look by look, without any process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from onefold.platform.watchdog.decide import Decision, Restart, decide
from onefold.platform.watchdog.limits import Limits
from onefold.platform.watchdog.snapshot import Memory, OverdueSync, ServiceSeen, Snapshot, TasksSeen

LIMITS = Limits()
SERVICES = ("postgres", "api-server", "scheduler", "dag-processor", "triggerer")
IDLE = TasksSeen(slots=4)


@dataclass
class World:
    """An installation, as it is seen every ten seconds. `silent`: services whose sign of life does not change."""

    at: float = 1000
    step: float = LIMITS.every
    memory: Memory = field(default_factory=Memory)
    instances: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SERVICES, 1))
    dead: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    tasks: TasksSeen | None = IDLE
    overdue: tuple[OverdueSync, ...] = ()
    signs: dict[str, str] = field(default_factory=dict)
    may_restart: bool = True
    heals: bool = True
    """Whether a service that is restarted works again."""
    restarts: list[tuple[float, Restart]] = field(default_factory=list)
    problems: dict[tuple[str, str], str] = field(default_factory=dict)

    def look(self) -> Decision:
        self.signs |= {name: f"{self.instances[name]} {self.at}" for name in SERVICES if name not in self.silent}
        services = tuple(
            ServiceSeen(name, str(self.instances[name]), name not in self.dead, self.signs[name]) for name in SERVICES
        )
        seen = Snapshot(self.at, services, self.tasks, self.overdue)
        decision = decide(seen, self.memory, LIMITS, may_restart=self.may_restart)
        self.memory = decision.memory
        self.problems = {(problem.kind, problem.subject): problem.message for problem in decision.problems}
        for restart in decision.restarts:
            self.restarts.append((self.at, restart))
            self.restart(restart.service)
        self.at += self.step
        return decision

    def restart(self, service: str) -> None:
        self.instances[service] += 1
        if self.heals:
            self.dead.discard(service)
            self.silent.discard(service)

    def watch(self, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
        """Look for so long; returns after how many seconds `until` was true."""
        began = self.at
        while self.at - began < seconds:
            self.look()
            if until():
                break
        return self.at - began

    def restarted(self) -> list[tuple[str, str]]:
        return [(restart.service, restart.reason) for _, restart in self.restarts]
