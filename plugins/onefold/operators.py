"""The DAGs' operators. Light, because the DAG processor reads them: what they do is imported where a task runs.

Operators of our own and not @task: they have no template fields, which saves each task a request to the API server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from airflow.sdk import BaseOperator, Context


class SyncStep(BaseOperator):
    """One step of a stream's load. The last one's XCom is what the load ledger then says; the others have none, which
    saves another request."""

    def __init__(self, *, step: Literal["land", "gate", "publish"], system: str, stream: str, **common: object) -> None:
        super().__init__(task_id=step, do_xcom_push=step == "publish", **common)
        self.step = step
        self.system = system
        self.stream = stream

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold import tasks
        from onefold.sync import steps

        return tasks.step(context, self.system, self.stream, getattr(steps, self.step))


class Conform(BaseOperator):
    """Maps, resolves, gates and publishes what has been loaded since the last publish. Its XCom is the report."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold import tasks

        return tasks.conform(context)


class PlanRollback(BaseOperator):
    """Works out what the wanted rollback would do, and keeps it for approval. Its XCom is the plan."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold import tasks

        return tasks.plan_rollback(context)


class ExecuteRollback(BaseOperator):
    """Does what was planned and approved, and says which streams of staging have changed. Its XCom is what was done."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold import tasks

        return tasks.execute_rollback(context)
