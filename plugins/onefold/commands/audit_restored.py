"""onefold audit restored: two people say that the warehouse is older than its anchors because a backup was restored."""

from __future__ import annotations

import click
import psycopg

from onefold.audit import actor
from onefold.audit.approval import Question, decide
from onefold.audit.places.sending import send_after_commit
from onefold.audit.restore import ask_restore, record_restore
from onefold.errors import Fatal
from onefold.platform.airflow import WAREHOUSE_DATABASE
from onefold.platform.api import AirflowApi
from onefold.platform.people import people
from onefold.platform.postgres import Postgres
from onefold.platform.sign_in import airflow_session
from onefold.platform.warehouse import connect_as
from onefold.settings import Settings, settings
from onefold.warehouse.connection import connect

_MAY = ("engineer", "approver")


@click.command("restored", epilog="Example: onefold audit restored")
@click.option("--yes", is_flag=True, help="Without asking.")
def restored_command(yes: bool) -> None:
    """Say that a backup was restored which is older than the anchors: publishing goes on once another person agrees.

    The first person says so; the second, signed in as themselves, runs the same command. It then appends an event that
    names what is given up, in both names, and keeps the old anchor file. Exits 1 when nothing is lost.
    """
    here = settings()
    postgres = Postgres(here.home, here.pg_port)
    try:
        with connect(postgres.url(WAREHOUSE_DATABASE), autocommit=True) as superuser:
            say_restored(
                here, superuser, postgres.url(WAREHOUSE_DATABASE, "onefold_approvals"), person_who_says(here), yes
            )
    except psycopg.Error as error:
        raise Fatal(f"Nothing was appended: {str(error).strip()}") from error


def say_restored(here: Settings, superuser: psycopg.Connection, approvals_url: str, who: str, yes: bool) -> None:
    """Ask in the name of `who`, or, where another person has asked, approve and record it."""
    asked = ask_restore(superuser, here.audit_anchor, who)
    click.echo(asked.plan)
    if asked.requested_by == who:
        click.echo(f"{who} says so. Now another engineer or approver signs in and runs: bin/onefold audit restored")
        return
    if asked.decision != "approved":
        if not yes:
            click.confirm(
                f"{asked.requested_by} says that a backup was restored. Was it, and is this given up?", abort=True
            )
        _approve(approvals_url, asked, who)
    done = record_restore(superuser, here.audit_anchor)
    send_after_commit(here)
    click.echo(
        f"Event {done.seq}: the events {done.kept_seq + 1} to {done.anchored_seq} are given up, said by "
        f"{asked.requested_by}, approved by {who}. Publishing goes on."
    )


def _approve(approvals_url: str, asked: Question, who: str) -> None:
    with connect(approvals_url, autocommit=True) as connection:
        decide(connection, asked.approval_id, approved=True, by=who, started_by=asked.requested_by, shown=asked.plan)


def person_who_says(here: Settings) -> str:
    """Who has signed in, as Airflow's API server says: what a file says could be somebody else's name.

    Raises Fatal when nobody has, or they may neither start nor approve anything.
    """
    name = airflow_session(AirflowApi, here).user_name()
    known = people(lambda: connect_as("engineer", autocommit=True))
    if not any(account.name == name and account.duty in _MAY for account in known):
        raise Fatal(f"{name} is neither an engineer nor an approver, and may not say that a backup was restored.")
    return actor(name)
