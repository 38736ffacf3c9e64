"""The DAGs' operators. Light, because the DAG processor reads them: what they do is imported where a task runs.

Operators of our own and not @task: they have no template fields, which saves each task a request to the API server.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, TypedDict, Unpack

from airflow.sdk import Asset, AssetAlias, BaseOperator, Context


class TaskOptions(TypedDict, total=False):
    """What a DAG file says about a task, besides its name and what it does."""

    doc_md: str
    outlets: list[Asset | AssetAlias]
    pool: str
    trigger_rule: str
    max_active_tis_per_dag: int
    map_index_template: str
    execution_timeout: timedelta


class LoadStream(BaseOperator):
    """A whole load of one stream. It has no XCom, which saves another request: what the load ledger then says is on the
    event of the stream's asset."""

    def __init__(self, *, system: str, stream: str, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_id=stream, do_xcom_push=False, **options)
        self.system = system
        self.stream = stream

    def execute(self, context: Context) -> None:
        from onefold.orchestration.tasks import sync

        sync.load_stream(context, self.system, self.stream)


class StreamsToReconcile(BaseOperator):
    """Its XCom is the list of streams that the run compares, as system.stream."""

    def execute(self, context: Context) -> list[str]:
        from onefold.orchestration.tasks import reconcile

        return reconcile.choose_streams(context)


class ReconcileStream(BaseOperator):
    """Compares one system.stream with its source, and repairs it where asked. Its XCom is what was found."""

    def __init__(self, *, task_id: str, stream: str, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_id=task_id, **options)
        self.stream = stream

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import reconcile

        return reconcile.compare_stream(context, self.stream)


class CheckFreshness(BaseOperator):
    """Opens and resolves alerts, and sends them to their receivers. Its XCom is what is wrong."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import reconcile

        return reconcile.check_freshness(context)


class SettleCosts(BaseOperator):
    """Applies the catalogue's prices, measures what is stored, and checks budgets. Its XCom is what was done."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import reconcile

        return reconcile.settle_costs(context)


class WatchNew(BaseOperator):
    """Watches what is new, and sends digests and reports to who has signed for it. Its XCom is how many."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import reconcile

        return reconcile.watch_new(context)


class Conform(BaseOperator):
    """Maps, resolves, gates and publishes what has been loaded since the last publish. Its XCom is the report."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import conform

        return conform.conform(context)


class Deliver(BaseOperator):
    """Delivers to another warehouse what has been published since the last delivery. Its XCom is the report."""

    def __init__(self, *, task_id: str, target: str, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_id=task_id, **options)
        self.target = target

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import deliver

        return deliver.deliver(context, self.target)


class ChooseRows(BaseOperator):
    """Fixes the quarantined rows that a replay's form asks for. Its XCom is the list of their streams."""

    def execute(self, context: Context) -> list[str]:
        from onefold.orchestration.tasks import replay

        return replay.choose(context)


class ReplayStream(BaseOperator):
    """Replays the chosen rows of one stream (system.stream). Its XCom is what the load ledger then says."""

    def __init__(self, *, task_id: str, stream: str, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_id=task_id, **options)
        self.stream = stream

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import replay

        return replay.replay(context, self.stream)


class ProveReplay(BaseOperator):
    """Checks that every row which a replay chose is accounted for. Its XCom is the account."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import replay

        return replay.prove(context)


class PlanRollback(BaseOperator):
    """Plans the requested rollback and stores the plan for approval. Its XCom is the plan."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import rollback

        return rollback.plan(context)


class ExecuteRollback(BaseOperator):
    """Does what was planned and approved, and says which streams of staging have changed. Its XCom is what was done."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import rollback

        return rollback.execute(context)


class PurgeWarehouse(BaseOperator):
    """Deletes from the warehouse what is kept no longer. Its XCom is how many rows."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import retention

        return retention.purge_warehouse(context)


class CleanInstallation(BaseOperator):
    """Deletes old runs from Airflow's database, and old logs. Its XCom is how many."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import retention

        return retention.clean_installation()


class PlanErasure(BaseOperator):
    """Plans the erasure of the person whom the run's case names. Its XCom is the plan, without any value."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import erase

        return erase.plan(context)


class ExecuteErasure(BaseOperator):
    """Erases whom the approved plan of this run names. It has no XCom: what was done is in ops.erasure."""

    def execute(self, context: Context) -> None:
        from onefold.orchestration.tasks import erase

        erase.execute(context)


class PlanMigration(BaseOperator):
    """Plans the requested migration and stores the plan. Its XCom is the list of its streams."""

    def execute(self, context: Context) -> list[str]:
        from onefold.orchestration.tasks import migrate

        return migrate.plan(context)


class MigrateStream(BaseOperator):
    """One pass over the chunks of one stream: a dry run, or the publish. Its XCom is how many there are."""

    def __init__(
        self, *, task_id: str, step: Literal["dry_run", "publish"], stream: str, **options: Unpack[TaskOptions]
    ) -> None:
        super().__init__(task_id=task_id, **options)
        self.step = step
        self.stream = stream

    def execute(self, context: Context) -> int:
        from onefold.orchestration.tasks import migrate

        step = migrate.dry_run if self.step == "dry_run" else migrate.publish
        return step(context, self.stream)


class ReportMigration(BaseOperator):
    """Maps and resolves the loads of the dry run in the shadow schemas. Its XCom is what the approver reads:
    plan and report."""

    def execute(self, context: Context) -> str:
        from onefold.orchestration.tasks import migrate

        return migrate.report(context)


class EndMigration(BaseOperator):
    """Closes the migration. Its XCom is its row in ops.migration."""

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import migrate

        return migrate.end(context)


class PlanWriteBack(BaseOperator):
    """Finds out about what a target did not answer, and plans what is intended. Its XCom are the plans' numbers."""

    def __init__(self, *, task_id: str, target: str, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_id=task_id, **options)
        self.target = target

    def execute(self, context: Context) -> list[int]:
        from onefold.orchestration.tasks import write_back

        return write_back.plan(context, self.target)


class ExecuteWriteBack(BaseOperator):
    """Writes what was planned, and approved where it has to be. Its XCom is what became of the rows."""

    def __init__(self, *, task_id: str, target: str, **options: Unpack[TaskOptions]) -> None:
        super().__init__(task_id=task_id, **options)
        self.target = target

    def execute(self, context: Context) -> Mapping[str, object]:
        from onefold.orchestration.tasks import write_back

        return write_back.execute(context, self.target)
