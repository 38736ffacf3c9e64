"""After the comparisons: checks the freshness SLA of every stream, and sends the notifications of alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.hypercare.subjects import current_subjects
from onefold.hypercare.thresholds import tighten
from onefold.load.ledger import Run
from onefold.notify import alert
from onefold.notify.receiver import Receiver
from onefold.reconcile.freshness_sla import check_drift, check_freshness
from onefold.reconcile.held_back_alert import check_held_back
from onefold.reconcile.lag_alerts import check_lag
from onefold.reconcile.leavers import check_leavers, leavers
from onefold.reconcile.new_field_notice import notice_new_fields
from onefold.reconcile.refused_deletes_alert import check_refused_deletes
from onefold.reconcile.unused_slot_alert import check_unused_slots
from onefold.reconcile.withheld_alert import check_withheld
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.post_commit import after_commit


def published_streams(warehouse_url: str, systems: Mapping[str, System]) -> list[str]:
    """The catalogue's streams, as system.stream, that have been published: one that was never loaded cannot differ."""
    with translate_errors("reconcile"), connect(warehouse_url) as connection:
        published = set(connection.execute("select system, stream from ops.cursor").fetchall())
    return [f"{name}.{stream}" for name, stream in _streams(systems, None) if (name, stream) in published]


def check_slas(
    warehouse_url: str,
    systems: Mapping[str, System],
    run: Run,
    receivers: Iterable[Receiver],
    only: Sequence[str] | None,
    expected: Sequence[str] | None,
    entities: Iterable[Entity] = (),
) -> Mapping[str, object]:
    """Check freshness, drift, withheld values, refused deletions and lag of the streams, all or `only` these
    (system.stream), and what is held back of the entities, and deliver new notifications.

    Returns the streams that miss their SLA, by kind, and the number of notifications. `expected` are the streams that
    the run had to compare, None when that is unknown. Raises Fatal, after all that, when one of them was not compared.
    """
    missed: dict[str, list[str]] = {"freshness": [], "drift": []}
    with translate_errors("reconcile"), connect(warehouse_url, autocommit=True) as connection:
        tight = tighten(systems, current_subjects(connection))
        for name, stream in _streams(systems, only):
            about = (connection, run.actor, name, stream, tight[name].streams[stream])
            for kind, check in (("freshness", check_freshness), ("drift", check_drift)):
                if not check(*about):
                    missed[kind].append(f"{name}.{stream}")
            check_withheld(*about)
            check_refused_deletes(connection, run.actor, name, stream)
            check_lag(connection, run.actor, systems[name], stream)
            notice_new_fields(*about)
        check_unused_slots(connection, run.actor, systems)
        for entity in entities:
            check_held_back(connection, run.actor, entity)
        if (what := leavers()) is not None:
            check_leavers(connection, run.actor, what)
        delivered = alert.deliver_notifications(connection, receivers)
        ended = connection.execute(
            "select distinct on (system, stream) system || '.' || stream, state from ops.reconciliation"
            " where dag_id = %s and run_id = %s order by system, stream, reconciliation_id desc",
            (run.dag_id, run.run_id),
        ).fetchall()
    after_commit(warehouse_url)
    if expected is None:
        raise Fatal(
            "The run does not know which streams to compare: its task streams failed. Clear it once its cause is fixed."
        )
    done = {name for name, state in ended if state in ("compared", "skipped")}
    if failed := [name for name in expected if name not in done]:
        raise Fatal(
            f"{len(failed)} of {len(expected)} streams could not be compared with their source: {', '.join(failed)}. "
            "The reasons are in the logs of the red tasks; clear them once that is fixed."
        )
    return {**missed, "notifications": delivered}


def _streams(systems: Mapping[str, System], only: Sequence[str] | None) -> list[tuple[str, str]]:
    every = [(name, stream) for name, system in systems.items() for stream in system.streams]
    return [each for each in every if ".".join(each) in only] if only else every
