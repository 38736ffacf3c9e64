"""onefold audit restored: say that the warehouse is older than its anchors because a backup was restored."""

from __future__ import annotations

import click
import psycopg

from onefold.audit import actor
from onefold.audit.places.sending import send_after_commit
from onefold.audit.restore import lost_since_anchored, record_restore
from onefold.errors import Fatal
from onefold.platform.airflow import WAREHOUSE_DATABASE
from onefold.platform.postgres import Postgres
from onefold.platform.sign_in import signed_in
from onefold.settings import settings
from onefold.warehouse.connection import connect


@click.command("restored", epilog="Example: onefold audit restored")
@click.option("--yes", is_flag=True, help="Without asking.")
def restored_command(yes: bool) -> None:
    """Say that a backup was restored which is older than the anchors: publishing goes on.

    It appends an event that names what is lost, as the superuser and in the name of whoever has signed in, and keeps
    the old anchor file. Exits 1 when nothing is lost.
    """
    here = settings()
    who = signed_in(here)
    if who is None:
        raise Fatal("Nobody has signed in, and this is said in somebody's name: bin/onefold login <name>")
    postgres = Postgres(here.home, here.pg_port)
    with connect(postgres.url(WAREHOUSE_DATABASE), autocommit=True) as superuser:
        lost = lost_since_anchored(superuser, here.audit_anchor)
        if lost and not yes:
            (head,) = superuser.execute("select coalesce(max(seq), 0) from audit.event").fetchone() or (0,)
            click.confirm(
                f"The chain ends at event {head}; event {lost.seq} of {lost.at} was anchored. What was loaded, "
                "approved, rolled back or erased since the backup is not in this warehouse. Was a backup restored?",
                abort=True,
            )
        try:
            done = record_restore(superuser, here.audit_anchor, actor(who.user))
        except psycopg.Error as error:
            raise Fatal(f"The event was not appended: {str(error).strip()}") from error
    send_after_commit(here)
    click.echo(
        f"Event {done.seq}: the events {done.kept_seq + 1} to {done.anchored_seq} are given up. Publishing goes on."
    )
