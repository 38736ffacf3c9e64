"""What is kept, and what was deleted, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from onefold.insight.retention import RetentionRun
from onefold.retention.purge import Kept, Store
from onefold.retention.run import Purged
from onefold.text_table import table

MEANING = {
    "history": "replaced versions of records",
    "deleted": "records that the source has deleted",
    "quarantine": "closed rows in quarantine",
    "waiting": "open rows in quarantine",
    "superseded": "readings that a rollback may need",
    "lookups": "answers to single questions",
    "inbox": "events that were posted to us",
    "golden": "past golden records",
    "landing": "loads with tables left in landing",
    "lineage": "lineage events",
    "ledger": "ledger of loads",
    "written_out": "values written into other systems",
    "llm_answers": "answers of language models",
    "airflow": "Airflow's runs",
    "task_logs": "log files of tasks",
    "server_logs": "rotated log files of services",
    "kept_by_law": "people who were erased, where a law has kept them until its period was over",
}


def _what(store: Store, data_class: str) -> str:
    return f"{MEANING[store]}: values of class {data_class}" if data_class else MEANING[store]


def kept_table(kept: Sequence[Kept]) -> str:
    """What is kept, a line a store and subject."""
    rows = [
        (
            _what(each.store, each.data_class),
            each.subject,
            f"{each.period.days:,} days",
            f"{each.rows:,}",
            f"{each.oldest:%Y-%m-%d}" if each.oldest else "-",
            f"{each.due:,}",
        )
        for each in kept
    ]
    return table(("what", "of", "kept", "rows", "oldest", "due"), rows, 2)


def purged_table(purged: Sequence[Purged]) -> str:
    """What a run has deleted."""
    rows = [
        (
            *(_what(each.store, each.data_class), each.subject, f"{each.rows:,}"),
            "in use, left to the next run" if each.busy else "",
        )
        for each in purged
    ]
    return table(("what", "of", "deleted", ""), rows, 2)


def run_table(runs: Sequence[RetentionRun]) -> str:
    """The runs, a line each."""
    rows = [
        (f"{each.retention_id}", f"{each.started_at:%Y-%m-%d %H:%M}", each.state, each.actor, f"{each.rows:,}")
        for each in runs
    ]
    return table(("run", "started (UTC)", "state", "who", "deleted"), rows, 4)


def undo_text(rollback_days: int) -> str:
    """How much of the past can still be undone, whatever the periods say."""
    return (
        f"A published load can be rolled back, and a rollback undone, for {rollback_days} days "
        "(ONEFOLD_ROLLBACK_DAYS); nothing that this needs is due. The audit chain is kept whole."
    )
