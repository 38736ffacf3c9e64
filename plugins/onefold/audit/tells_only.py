"""Which events may be appended while the warehouse is older than its anchors: those that change nothing for readers."""

from __future__ import annotations

from onefold.audit.event import AuditEvent

_UNDONE = frozenset({"failed", "rejected", "refused", "mismatch"})
"""Results of what did not happen."""

_TELLS_ONLY = frozenset(
    {
        "alert.open",
        "alert.resolve",
        "backup.restore",
        "backup.take",
        "conform.dry_run",
        "conform.refuse",
        "deletes.accept",
        "erase.again",  # a restored backup is rid of the erased before anybody may say that it was restored
        "erase.decide",
        "erase.plan",
        "load.attempt",
        "load.begin",
        "load.dry_run",
        "load.gate",
        "load.land",
        "load.leave_out",
        "load.reject",
        "llm.ask",
        "llm.end",
        "login.add",
        "login.password",
        "login.remove",
        "migration.begin",
        "migration.compare",
        "migration.dry_run",
        "reconcile.compare",
        "rollback.decide",
        "rollback.plan",
        "service.restart",
        "sign_in.lock",
        "subject.report",
    }
)
"""What was asked, tried, found or read. An action that is not listed changes something, until somebody lists it."""


def tells_only(event: AuditEvent) -> bool:
    """Whether what the event records has left entities, staging and quarantine as they were."""
    return event.action in _TELLS_ONLY or event.result in _UNDONE
