"""onefold user: personal logins to the warehouse."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from onefold.commands.superuser import as_superuser

if TYPE_CHECKING:
    import psycopg

    from onefold.warehouse.logins import Duty


@click.group(epilog="Example: onefold user add maria.wilk --role analyst")
def user() -> None:
    """Personal logins to the warehouse, for psql, notebooks and BI tools. Each is in the audit chain by its name."""


@user.command(epilog="Example: onefold user add maria.wilk --role analyst --pii")
@click.argument("name")
@click.option(
    "--role", "duty", type=click.Choice(["analyst", "engineer", "auditor"]), required=True, help="What it may read."
)
@click.option(
    "--pii", is_flag=True, help="Also what is personal (a member of onefold_pii); each such read is recorded."
)
def add(name: str, duty: Duty, pii: bool) -> None:
    """Make the login NAME with a new password, which is shown once."""
    from onefold.audit import actor
    from onefold.warehouse.logins import add_login

    with as_superuser() as warehouse:
        _show(warehouse, name, add_login(warehouse, name, duty, pii=pii, actor=actor()))


@user.command(epilog="Example: onefold user password maria.wilk")
@click.argument("name")
def password(name: str) -> None:
    """Give the login NAME another password, which is shown once; its open sessions end."""
    from onefold.audit import actor
    from onefold.warehouse.logins import rotate_password

    with as_superuser() as warehouse:
        _show(warehouse, name, rotate_password(warehouse, name, actor=actor()))


@user.command(epilog="Example: onefold user remove maria.wilk")
@click.argument("name")
def remove(name: str) -> None:
    """Remove the login NAME; its open sessions end. What it has read is recorded before."""
    from onefold.audit import actor
    from onefold.catalog.reader import read_catalog
    from onefold.platform.warehouse import url_as
    from onefold.privacy.direct_reads import collect_direct_reads
    from onefold.warehouse.logins import remove_login

    with as_superuser() as warehouse:
        collect_direct_reads(url_as("loader"), read_catalog(), actor())
        remove_login(warehouse, name, actor=actor())
    click.echo(f"{name} is removed.")


@user.command("list", epilog="Example: onefold user list --json")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def list_(as_json: bool) -> None:
    """Show the logins: role, whether they see what is personal, their limits, and how many sessions are open."""
    from onefold.text_table import table
    from onefold.warehouse.logins import logins

    with as_superuser() as warehouse:
        found = logins(warehouse)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
        return
    heads = ("name", "role", "personal data", "sessions", "at most", "statement ends after")
    lines = [
        (
            each.name,
            each.duty,
            "yes" if each.pii else "no",
            str(each.sessions),
            str(each.most_sessions),
            each.statement_timeout or "no limit",
        )
        for each in found
    ]
    click.echo(table(heads, lines, 3) if lines else "There is no personal login. Make one with `bin/onefold user add`.")


def _show(warehouse: psycopg.Connection, name: str, password: str) -> None:
    click.echo(f"password: {password}", nl=True)
    where = warehouse.info
    click.echo(
        f"It is shown this once. Sign in as {name} at {where.host}:{where.port}, database {where.dbname}; "
        "docs/connect.md says how with psql, pandas, DBeaver, Metabase and Power BI.",
        err=True,
    )
