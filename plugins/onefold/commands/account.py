"""onefold account: people who sign in at the company's identity provider."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from onefold.commands.superuser import as_superuser


@click.group(epilog="Example: onefold account list")
def account() -> None:
    """People who sign in at the identity provider, what their groups allow, and what is theirs."""


@account.command("list", epilog="Example: onefold account list --json")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def list_(as_json: bool) -> None:
    """Show the accounts: duty, last sign-in, personal login, clients of the register API."""
    from onefold.text_table import table
    from onefold.warehouse.accounts import accounts

    with as_superuser() as warehouse:
        found = accounts(warehouse)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2, default=str))
        return
    heads = ("account", "duty", "signed in", "login", "clients", "state")
    rows = [
        (
            each.account,
            f"{each.duty or 'none'}{'+pii' if each.pii else ''}",
            f"{each.signed_in_at:%F %R}",
            each.login or "",
            ", ".join(each.clients),
            f"ended {each.ended_at:%F}" if each.ended_at else "",
        )
        for each in found
    ]
    click.echo(table(heads, rows, 6) if rows else "Nobody has signed in at the identity provider yet.")


@account.command(epilog="Example: onefold account link sso.example.com:realms:onefold:5f2c maria.wilk")
@click.argument("name", metavar="ACCOUNT")
@click.argument("login")
def link(name: str, login: str) -> None:
    """Let the personal LOGIN to the warehouse follow the groups of ACCOUNT."""
    from onefold.audit import actor
    from onefold.warehouse.accounts import link_login

    with as_superuser() as warehouse:
        link_login(warehouse, name, login, actor=actor())
    click.echo(f"{login} follows the groups of {name}; its password is good for a day after each sign-in.")


@account.command(epilog="Example: onefold account end sso.example.com:realms:onefold:5f2c")
@click.argument("name", metavar="ACCOUNT")
def end(name: str) -> None:
    """End what ACCOUNT allows: sign-in, tokens, personal login, keys of the register API."""
    from onefold.audit import actor
    from onefold.warehouse.accounts import end_account

    with as_superuser() as warehouse:
        done = end_account(warehouse, name, actor=actor())
    click.echo(f"{name} has ended." if done else f"{name} had ended already.")


@account.command(epilog="Example: onefold account reopen sso.example.com:realms:onefold:5f2c")
@click.argument("name", metavar="ACCOUNT")
def reopen(name: str) -> None:
    """Let the person of ACCOUNT sign in again; keys that were revoked stay so."""
    from onefold.audit import actor
    from onefold.warehouse.accounts import reopen_account

    with as_superuser() as warehouse:
        reopen_account(warehouse, name, actor=actor())
    click.echo(f"{name} may sign in again.")
