"""The task in which a person approves what was planned. A module of its own: only the DAGs that ask import it."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import TypedDict, Unpack

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException, TaskAwaitingInput

from onefold.audit.approval import Question
from onefold.errors import Fatal
from onefold.settings import approval_time


class ApprovalOptions(TypedDict):
    """What a DAG file says about the task."""

    task_id: str
    doc_md: str


class ApprovePlan(ApprovalOperator):
    """Shows the plan that the warehouse has stored for this run, word for word, and waits.

    The API server records who answers (approval_guard.py). What then is done reads that record, not this task's result.
    """

    template_fields = ()  # what was planned is shown as it is: nothing in it is a template

    def __init__(self, **options: Unpack[ApprovalOptions]) -> None:
        super().__init__(subject="What was planned", response_timeout=approval_time(), **options)

    def execute(self, context: Context) -> object:
        from onefold.orchestration.tasks.errors import airflow_errors
        from onefold.orchestration.tasks.questions import question

        with airflow_errors():
            asked = question(context)
        self._offer(asked)
        kind, _, number = asked.subject.partition(":")
        self.subject, self.body = f"{kind.capitalize()} {number}", asked.plan
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, object]) -> object:
        from onefold.orchestration.tasks.errors import airflow_errors
        from onefold.orchestration.tasks.questions import question

        chosen = event.get("chosen_options")
        with airflow_errors():
            self._offer(question(context))
            if chosen is not None and chosen not in ([self.APPROVE], [self.REJECT]):
                raise Fatal(f"{chosen} was answered, and {self.options} is asked. Clear this task, and answer again.")
        self.decide(context, approved=chosen == [self.APPROVE])
        return super().execute_complete(context, event)

    def _offer(self, asked: Question) -> None:
        self.APPROVE = asked.approve_option
        self.options = [self.APPROVE, self.REJECT]

    @abstractmethod
    def decide(self, context: Context, *, approved: bool) -> None:
        """What follows the answer, before the tasks behind this one."""


class ApproveRollback(ApprovePlan):
    """Whoever started the rollback may reject it, but not approve it."""

    def decide(self, context: Context, *, approved: bool) -> None:
        from onefold.orchestration.tasks import rollback

        rollback.decide(context, approved=approved)


class ApproveErasure(ApprovePlan):
    """Whoever started the erasure may reject it, but not approve it."""

    def decide(self, context: Context, *, approved: bool) -> None:
        from onefold.orchestration.tasks import erase

        erase.decide(context, approved=approved)


class ApproveMigration(ApprovePlan):
    """Whoever started the migration may reject it, but not approve it."""

    def decide(self, context: Context, *, approved: bool) -> None:
        from onefold.orchestration.tasks import migrate

        migrate.decide(context, approved=approved)


class ApproveWriteBack(ApprovePlan):
    """Is skipped, with what comes behind it, where no plan of this run needs an approval. Whoever started the run may
    reject it, but not approve it; a run that a publish has started is approved by anybody who may.

    A plan that waits can be closed by a later run, which does not reach this task: it looks from time to time.
    """

    LOOK = timedelta(minutes=5)

    def __init__(self, *, target: str, **options: Unpack[ApprovalOptions]) -> None:
        super().__init__(**options)
        self.target = target
        self.response_timeout = self.LOOK

    def execute(self, context: Context) -> object:
        self._require_waiting(context)
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, object]) -> object:
        if event.get("error_type") == "timeout":
            self._require_waiting(context)
            raise TaskAwaitingInput(method_name="execute_complete", timeout=self.LOOK)
        return super().execute_complete(context, event)

    def _require_waiting(self, context: Context) -> None:
        from onefold.orchestration.tasks import write_back

        if not write_back.waits_for_approval(context):
            raise AirflowSkipException("No plan of this run waits for an approval.")

    def decide(self, context: Context, *, approved: bool) -> None:
        from onefold.orchestration.tasks import write_back

        write_back.decide(context, self.target, approved=approved)
