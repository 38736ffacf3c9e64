"""The task in which a person approves what was planned. A module of its own: only the DAGs that ask import it."""

from __future__ import annotations

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context


class ApproveRollback(ApprovalOperator):
    """Shows the plan in the UI and waits. Whoever started the rollback may reject it, but not approve it."""

    def execute_complete(self, context: Context, event: dict[str, object]) -> object:
        from onefold.orchestration.tasks import rollback

        rollback.decide(context, event, approved=event.get("chosen_options") == [self.APPROVE])
        return super().execute_complete(context, event)


class ApproveMigration(ApprovalOperator):
    """Shows plan and report in the UI and waits. Whoever started the migration may reject it, but not approve it."""

    def execute_complete(self, context: Context, event: dict[str, object]) -> object:
        from onefold.orchestration.tasks import migrate

        migrate.decide(context, event, approved=event.get("chosen_options") == [self.APPROVE])
        return super().execute_complete(context, event)
