"""Which run may load a stream next: a run about the past lets those that bring fresh data go first.

Not a queue: whoever finds the stream busy comes again. What is stored is only that somebody waits, so that the next run
of a backfill, which follows at once, does not always come before them.
"""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from onefold.errors import Busy
from onefold.load.ledger import Run


def enqueue(connection: psycopg.Connection, system: str, stream: str, run: Run) -> None:
    """Write down that this run waits for the stream, once."""
    connection.execute(
        "insert into ops.queue (system, stream, dag_id, run_id) values (%s, %s, %s, %s) on conflict do nothing",
        (system, stream, run.dag_id, run.run_id),
    )


def yield_to_fresh(
    connection: psycopg.Connection, system: str, stream: str, run_is_over: Callable[[str, str], bool]
) -> None:
    """Raises Busy when another run waits for the stream. One that is over waits no more, and is struck out."""
    waiting = connection.execute(
        "select dag_id, run_id from ops.queue where system = %s and stream = %s order by since", (system, stream)
    ).fetchall()
    for dag_id, run_id in waiting:
        if not run_is_over(dag_id, run_id):
            raise Busy(f"{system}.{stream} is waited for by run {run_id}, which brings fresh data and goes first.")
        dequeue(connection, system, stream, Run(dag_id, run_id, ""))


def dequeue(connection: psycopg.Connection, system: str, stream: str, run: Run) -> None:
    """This run waits for the stream no more."""
    connection.execute(
        "delete from ops.queue where system = %s and stream = %s and dag_id = %s and run_id = %s",
        (system, stream, run.dag_id, run.run_id),
    )
