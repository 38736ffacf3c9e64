"""onefold login, logout, whoami: in whose name the commands act."""

from __future__ import annotations

import sys

import click

from onefold.settings import settings


@click.command(epilog="Example: onefold login anna.kowal")
@click.argument("user", required=False)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, for scripts.")
def login(user: str | None, password_stdin: bool) -> None:
    """Sign in as USER: what the commands start from then on is started in this person's name.

    Where people sign in at an identity provider, it is asked who you are: name no USER.
    """
    from onefold.orchestration.oidc.provider import identity_provider
    from onefold.platform.realm_sign_in import Realm
    from onefold.platform.sign_in import sign_in, sign_in_at_realm

    if (provider := identity_provider()) is not None:
        if user or password_stdin:
            raise click.UsageError("People sign in at the identity provider here: give no USER and no password.")
        click.echo(f"Signed in as {sign_in_at_realm(settings(), Realm(provider), click.echo).user}.")
        return
    if not user:
        raise click.UsageError("Name the USER.")
    password = sys.stdin.readline().rstrip("\n") if password_stdin else click.prompt("Password", hide_input=True)
    sign_in(settings(), user, password)
    click.echo(f"Signed in as {user}.")


@click.command(epilog="Example: onefold logout")
def logout() -> None:
    """Forget who has signed in."""
    from onefold.platform.sign_in import sign_out

    user = sign_out(settings())
    click.echo(f"{user} is signed out." if user else "Nobody had signed in.")


@click.command(epilog="Example: onefold whoami")
def whoami() -> None:
    """Say in whose name the commands act; exit code 1 when nobody has signed in."""
    from onefold.platform.sign_in import HOW, signed_in

    found = signed_in(settings())
    if found is None:
        click.echo(f"Nobody has signed in. {HOW}", err=True)
        sys.exit(1)
    click.echo(found.user)
