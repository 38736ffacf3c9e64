"""After the comparisons: all promises are judged, and whoever is to hear of it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.notify import alert
from onefold.notify.receiver import Receiver
from onefold.reconcile.promise import judge_drift, judge_freshness
from onefold.warehouse.connection import connect
from onefold.warehouse.ledger import Run
from onefold.warehouse.trouble import told


def loaded_streams(warehouse_url: str, systems: Mapping[str, System]) -> list[str]:
    """The streams of the catalogue, as system.stream, that have been published: what was never loaded cannot differ."""
    with told("reconcile"), connect(warehouse_url) as connection:
        published = set(connection.execute("select system, stream from ops.cursor").fetchall())
    return [f"{name}.{stream}" for name, stream in _streams(systems, None) if (name, stream) in published]


def watch(
    warehouse_url: str,
    systems: Mapping[str, System],
    run: Run,
    receivers: Iterable[Receiver],
    only: Sequence[str] | None = None,
) -> Mapping[str, object]:
    """Judge freshness and drift of the streams, all or `only` these (system.stream), and deliver what is new.

    Returns the broken promises by kind. Raises Fatal, after all that, when a stream of the run could not be compared.
    """
    broken: dict[str, list[str]] = {"freshness": [], "drift": []}
    with told("reconcile"), connect(warehouse_url, autocommit=True) as connection:
        for name, stream in _streams(systems, only):
            about = (connection, run.actor, name, stream, systems[name].streams[stream])
            for kind, judge in (("freshness", judge_freshness), ("drift", judge_drift)):
                if not judge(*about):
                    broken[kind].append(f"{name}.{stream}")
        notices = alert.deliver(connection, receivers)
        failed = connection.execute(
            "select distinct system || '.' || stream from ("
            " select distinct on (system, stream) system, stream, state from ops.reconciliation"
            " where dag_id = %s and run_id = %s order by system, stream, reconciliation_id desc"
            ") last where state in ('failed', 'comparing') order by 1",
            (run.dag_id, run.run_id),
        ).fetchall()
    if failed:
        raise Fatal(
            f"{len(failed)} streams could not be compared with their source: {', '.join(name for (name,) in failed)}. "
            "The reasons are in ops.reconciliation and in the logs of the red tasks; clear them once that is mended."
        )
    return {**broken, "notices": notices}


def _streams(systems: Mapping[str, System], only: Sequence[str] | None) -> list[tuple[str, str]]:
    every = [(name, stream) for name, system in systems.items() for stream in system.streams]
    return [each for each in every if ".".join(each) in only] if only else every
