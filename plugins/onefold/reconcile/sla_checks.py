"""After the comparisons: all promises are judged, and whoever is to hear of it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.load.ledger import Run
from onefold.notify import alert
from onefold.notify.receiver import Receiver
from onefold.reconcile.freshness_sla import judge_drift, judge_freshness
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.post_commit import after_commit


def loaded_streams(warehouse_url: str, systems: Mapping[str, System]) -> list[str]:
    """The streams of the catalogue, as system.stream, that have been published: what was never loaded cannot differ."""
    with translate_errors("reconcile"), connect(warehouse_url) as connection:
        published = set(connection.execute("select system, stream from ops.cursor").fetchall())
    return [f"{name}.{stream}" for name, stream in _streams(systems, None) if (name, stream) in published]


def watch(
    warehouse_url: str,
    systems: Mapping[str, System],
    run: Run,
    receivers: Iterable[Receiver],
    only: Sequence[str] | None,
    expected: Sequence[str] | None,
) -> Mapping[str, object]:
    """Judge freshness and drift of the streams, all or `only` these (system.stream), and deliver what is new.

    Returns the broken promises by kind. `expected` are the streams that the run had to compare; None: it does not know
    them. Raises Fatal, after all that, when one of them was not compared.
    """
    broken: dict[str, list[str]] = {"freshness": [], "drift": []}
    with translate_errors("reconcile"), connect(warehouse_url, autocommit=True) as connection:
        for name, stream in _streams(systems, only):
            about = (connection, run.actor, name, stream, systems[name].streams[stream])
            for kind, judge in (("freshness", judge_freshness), ("drift", judge_drift)):
                if not judge(*about):
                    broken[kind].append(f"{name}.{stream}")
        notices = alert.deliver(connection, receivers)
        ended = connection.execute(
            "select distinct on (system, stream) system || '.' || stream, state from ops.reconciliation"
            " where dag_id = %s and run_id = %s order by system, stream, reconciliation_id desc",
            (run.dag_id, run.run_id),
        ).fetchall()
    after_commit(warehouse_url)
    if expected is None:
        raise Fatal("The run does not know which streams to compare: its task streams failed. Clear it once mended.")
    done = {name for name, state in ended if state in ("compared", "skipped")}
    if failed := [name for name in expected if name not in done]:
        raise Fatal(
            f"{len(failed)} of {len(expected)} streams could not be compared with their source: {', '.join(failed)}. "
            "The reasons are in the logs of the red tasks; clear them once that is mended."
        )
    return {**broken, "notices": notices}


def _streams(systems: Mapping[str, System], only: Sequence[str] | None) -> list[tuple[str, str]]:
    every = [(name, stream) for name, system in systems.items() for stream in system.streams]
    return [each for each in every if ".".join(each) in only] if only else every
