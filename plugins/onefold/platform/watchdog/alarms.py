"""Tells what the watchdog has found: alerts in the warehouse, with their audit events, and notifications."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from onefold.audit import AuditEvent, append
from onefold.errors import OnefoldError
from onefold.notify.alert import deliver_notifications, open_alert, resolve_alert
from onefold.notify.receiver import LogReceiver
from onefold.platform import processes
from onefold.platform.watchdog.decide import Restart
from onefold.platform.watchdog.problems import Problem
from onefold.warehouse.connection import connect
from onefold.warehouse.post_commit import anchor_and_deliver

ACTOR = "onefold:watchdog"
KINDS = ("service", "standstill", "overdue")
DELIVERY_SECONDS = 120

log = logging.getLogger(__name__)


@dataclass
class Alarms:
    """Keeps ops.alert equal to what is wrong. While the warehouse is away, what is to be written waits."""

    url: str
    """The warehouse's, as the loader role."""
    receivers: str
    """ONEFOLD_NOTIFY."""
    variables: Mapping[str, str]
    """Of Airflow's processes: where connections are found."""
    written: frozenset[Problem] | None = None
    """What the warehouse has; None until it was asked."""
    delivery: subprocess.Popen[bytes] | None = None
    delivery_until: float = 0

    def tell(self, problems: Sequence[Problem], restarts: Sequence[tuple[Restart, bool]]) -> bool:
        """Open and resolve alerts, and record each restart (and whether it was done) in the audit trail.

        Returns False when the warehouse could not be written to: call it again with the same. An alert is resolved
        only once the receivers had the time to be told of it.
        """
        delivering = self._is_delivering()
        wanted = frozenset(problems)
        if wanted == self.written and not restarts:
            return True
        if delivering and not (wanted - (self.written or frozenset())) and not restarts:
            return True
        try:
            with connect(self.url, autocommit=True) as connection:
                if self.written is None:
                    self.written = _open_ones(connection)
                self._write(connection, wanted, restarts)
                if LogReceiver().name in self._names():
                    deliver_notifications(connection, [LogReceiver()])
                anchor_and_deliver(connection)
        except (psycopg.Error, OnefoldError) as error:
            log.warning("The warehouse could not be told (%s); it will be once it answers.", type(error).__name__)
            self.written = None
            return False
        self._deliver()
        return True

    def _write(
        self, connection: psycopg.Connection, wanted: frozenset[Problem], restarts: Sequence[tuple[Restart, bool]]
    ) -> None:
        written = self.written or frozenset()
        for problem in sorted(wanted - written, key=lambda one: (one.kind, one.subject)):
            open_alert(connection, ACTOR, problem.kind, problem.subject, problem.message)
        for restart, done in restarts:
            event = AuditEvent(
                ACTOR,
                "service.restart",
                f"service:{restart.service}",
                payload={"reason": restart.reason},
                result="ok" if done else "failed",
            )
            with connection.transaction():
                append(connection, event)
        still = {(problem.kind, problem.subject) for problem in wanted}
        for kind, subject in {(problem.kind, problem.subject) for problem in written} - still:
            resolve_alert(connection, ACTOR, kind, subject)
        self.written = wanted

    def _deliver(self) -> None:
        """Mail and chat want Airflow's connections, so a process that has Airflow delivers to them."""
        if not self._names() - {LogReceiver().name}:
            return
        if self._is_delivering():
            return  # it looks again for what is pending before it ends
        self.delivery = subprocess.Popen(
            [sys.executable, "-m", "onefold.platform.watchdog.delivery"],
            env=processes.environment({**self.variables, "_AIRFLOW_PROCESS_CONTEXT": "server"}),
            stdin=subprocess.DEVNULL,
        )
        self.delivery_until = time.monotonic() + DELIVERY_SECONDS

    def _is_delivering(self) -> bool:
        if self.delivery is None or self.delivery.poll() is not None:
            return False
        if time.monotonic() > self.delivery_until:
            self.delivery.kill()  # what it has not sent stays pending
            return False
        return True

    def _names(self) -> set[str]:
        return {name.strip() for name in self.receivers.split(",") if name.strip()}


def _open_ones(connection: psycopg.Connection) -> frozenset[Problem]:
    """What a watchdog before this one has left open."""
    rows = connection.execute(
        "select kind, subject, message from ops.alert where resolved_at is null and kind = any (%s)", [list(KINDS)]
    )
    return frozenset(Problem(kind, subject, message) for kind, subject, message in rows)
