"""onefold api-key: clients of the register API and their keys."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from onefold.serve.keys import Key


@click.group("api-key", epilog="Example: onefold api-key create crm --scope companies")
def api_key() -> None:
    """Clients of the register API and their keys. Each change is in the audit chain."""


@api_key.command(epilog="Example: onefold api-key create crm --scope companies --scope people --rate 20 --days 365")
@click.argument("client")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["companies", "people", "watch"]),
    multiple=True,
    default=("companies",),
    show_default=True,
    help="What it may: companies, personal data (people), watch lists.",
)
@click.option("--rate", default=50, show_default=True, type=click.IntRange(1, 100_000), help="Requests a second.")
@click.option("--quota", default=1_000_000, show_default=True, type=click.IntRange(0), help="Requests a month.")
@click.option("--days", type=click.IntRange(1, 3650), help="After so many days the key is accepted no more.")
@click.option("--account", help="A person of the identity provider, whose it is: it follows their groups.")
def create(client: str, scopes: tuple[str, ...], rate: int, quota: int, days: int | None, account: str | None) -> None:
    """Make a key of CLIENT, shown once. A client that is there gets these scopes and limits, and a key more."""
    from onefold.audit import actor
    from onefold.platform.warehouse import superuser_url
    from onefold.serve.keys import create_key
    from onefold.warehouse.connection import connect

    with connect(superuser_url(), autocommit=True) as warehouse:
        key = create_key(warehouse, client, sorted(set(scopes)), rate, quota, days, actor=actor(), account=account)
    click.echo(key)
    click.echo("It is shown once, and stored nowhere. Send it as the header X-API-Key.", err=True)


@api_key.command(epilog="Example: onefold api-key revoke qwertzuiopas")
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Let the key KEY_ID be accepted no more, within seconds."""
    from onefold.audit import actor
    from onefold.platform.warehouse import superuser_url
    from onefold.serve.keys import revoke_key
    from onefold.warehouse.connection import connect

    with connect(superuser_url(), autocommit=True) as warehouse:
        revoke_key(warehouse, key_id, actor=actor())
    click.echo(f"{key_id} is accepted no more.")


@api_key.command("list", epilog="Example: onefold api-key list --json")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def list_(as_json: bool) -> None:
    """Show the keys by their ids, with client, scopes and limits."""
    from onefold.platform.warehouse import superuser_url
    from onefold.serve.keys import keys
    from onefold.text_table import table
    from onefold.warehouse.connection import connect

    with connect(superuser_url(), autocommit=True) as warehouse:
        found = keys(warehouse)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2, default=str))
        return
    heads = ("key", "client", "scopes", "a second", "a month", "state")
    rows = [
        (each.key_id, each.client, ", ".join(each.scopes), f"{each.per_second:,}", f"{each.monthly_quota:,}",
         _state(each))
        for each in found
    ]  # fmt: skip
    click.echo(table(heads, rows, 3) if rows else "There is no key: onefold api-key create makes one.")


def _state(key: Key) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%F}"
    return f"until {key.expires_at:%F}" if key.expires_at else "holds"
