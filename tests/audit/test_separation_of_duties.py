"""Who started something cannot approve it, by whatever name the audit chain knows them."""

from __future__ import annotations

import psycopg
import pytest

from onefold.audit import AuditEvent, actor, append
from onefold.audit.separation_of_duties import require_second_person
from onefold.errors import Fatal


@pytest.mark.parametrize("user", ["engineer", "Jan Kowalski (IT)", "jan@example.com"])
def test_who_started_something_cannot_approve_it(loader: psycopg.Connection, user: str) -> None:
    started = AuditEvent(actor(user, "migrate", "manual__1"), "migration.begin", "migration:5")
    with loader.transaction():
        append(loader, started)
    with pytest.raises(Fatal, match=r"^Migration 5 was started by .* must be approved by somebody else"):
        require_second_person(loader, "migration.begin", "migration:5", user)
    require_second_person(loader, "migration.begin", "migration:5", "approver")


def test_nobody_who_is_unknown_approves_and_nothing_that_nobody_started_is_approved(loader: psycopg.Connection) -> None:
    with loader.transaction():
        append(loader, AuditEvent(actor("engineer", "rollback", "manual__1"), "rollback.plan", "rollback:1"))
        append(loader, AuditEvent(actor(None, "rollback", "scheduled__1"), "rollback.plan", "rollback:2"))
    for subject, user in (("rollback:1", None), ("rollback:2", "approver"), ("rollback:3", "approver")):
        with pytest.raises(Fatal, match="an unknown person"):
            require_second_person(loader, "rollback.plan", subject, user)
