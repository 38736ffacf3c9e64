"""The task in which a person approves what was planned. A module of its own: only the DAGs that ask import it."""

from __future__ import annotations

from collections.abc import Mapping

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context


class _Approve(ApprovalOperator):
    """Shows what is to be approved in the UI and waits. Whoever started it may turn it down, but not approve it."""

    def execute_complete(self, context: Context, event: dict[str, object]) -> object:
        person = event.get("responded_by_user")
        user = str(person["id"]) if isinstance(person, Mapping) else None
        self.decide(context, user, approved=event.get("chosen_options") == [self.APPROVE])
        return super().execute_complete(context, event)

    def decide(self, context: Context, user: str | None, *, approved: bool) -> None:
        """Keep the decision of this person, before anything follows from it."""
        raise NotImplementedError


class ApproveRollback(_Approve):
    """The plan of a rollback."""

    def decide(self, context: Context, user: str | None, *, approved: bool) -> None:
        from onefold import tasks

        tasks.decide_rollback(context, user, approved=approved)


class ApproveMigration(_Approve):
    """The plan and the report of a migration."""

    def decide(self, context: Context, user: str | None, *, approved: bool) -> None:
        from onefold import migration_tasks

        migration_tasks.decide(context, user, approved=approved)
