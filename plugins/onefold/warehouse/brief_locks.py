"""Changes the schema of a warehouse that is in use, without making those who use it wait."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

from onefold.errors import Retriable
from onefold.warehouse.contention import is_contention

WAIT_MILLISECONDS = 300
"""How long a change stands in line for a table. Whoever reads it meanwhile stands in line behind the change, even where
the one in front only reads too; so a change that is not let in steps aside and comes again."""
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0


def change_briefly(
    connection: psycopg.Connection, change: Callable[[], None], name: Callable[[], str], patience_seconds: float
) -> None:
    """Run `change` in a transaction, again and again until it is let in; all of it is committed, or nothing.

    Raises Retriable when it was not within `patience_seconds`: it says what `name` gives, and who has a transaction
    open; and what `change` raises.
    """
    deadline = time.monotonic() + patience_seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            with connection.transaction():
                connection.execute(f"set local lock_timeout = {WAIT_MILLISECONDS}")
                change()
            return
        except psycopg.Error as error:
            if not is_contention(error):
                raise
        if time.monotonic() + pause > deadline:
            raise Retriable(
                f"{name()}: a table that it changes was in use for more than {patience_seconds:.0f} s. Nothing of it "
                f"was applied.{_open_transactions(connection)} Let loads and queries end (bin/onefold status), or end "
                "a session with pg_terminate_backend(pid), then run bin/onefold up again."
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _open_transactions(connection: psycopg.Connection) -> str:
    """The oldest transactions of others, by role and process: none of what they ask."""
    rows = connection.execute(
        "select usename, pid, extract(epoch from clock_timestamp() - xact_start)::int from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null"
        " and backend_type = 'client backend' order by xact_start limit 5"
    ).fetchall()
    told = ", ".join(f"{role} (pid {pid}) for {seconds} s" for role, pid, seconds in rows)
    return f" Transactions are open of {told}." if told else ""
