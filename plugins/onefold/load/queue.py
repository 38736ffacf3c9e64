"""Which run may load a stream next: a run about the past lets those that bring fresh data go first.

Not a queue: whoever finds the stream busy comes again. What is stored is only that somebody waits, so that the next run
of a backfill, which follows at once, does not always come before them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import psycopg

from onefold.errors import Busy
from onefold.load.ledger import Run


def enqueue(connection: psycopg.Connection, system: str, stream: str, run: Run) -> None:
    """Write down that this run waits for the stream, and that it has just looked."""
    connection.execute(
        "insert into ops.queue (system, stream, dag_id, run_id) values (%s, %s, %s, %s)"
        " on conflict (system, stream, dag_id, run_id) do update set last_seen = now()",
        (system, stream, run.dag_id, run.run_id),
    )


def yield_to_fresh(
    connection: psycopg.Connection, system: str, stream: str, run_is_over: Callable[[str, str], bool], idle: timedelta
) -> None:
    """Raises Busy when another run waits for the stream. One that is over waits no more, and is struck out; so is one
    that has not looked for `idle`: its DAG is paused, or nobody runs its tasks, and it comes again by itself."""
    waiting = connection.execute(
        "select dag_id, run_id, last_seen < now() - %s from ops.queue where system = %s and stream = %s order by since",
        (idle, system, stream),
    ).fetchall()
    for dag_id, run_id, is_idle in waiting:
        if not is_idle and not run_is_over(dag_id, run_id):
            raise Busy(f"{system}.{stream} is waited for by run {run_id}, which brings fresh data and goes first.")
        dequeue(connection, system, stream, Run(dag_id, run_id, ""))


def dequeue(connection: psycopg.Connection, system: str, stream: str, run: Run) -> None:
    """This run waits for the stream no more."""
    connection.execute(
        "delete from ops.queue where system = %s and stream = %s and dag_id = %s and run_id = %s",
        (system, stream, run.dag_id, run.run_id),
    )
