"""onefold audit evidence: a signed folder for an auditor, and the check of one."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click
import psycopg

from onefold.audit import signing_key
from onefold.audit.person import LOCAL
from onefold.audit.places.sending import places_of
from onefold.commands.safe_output import spreadsheet_text
from onefold.errors import Fatal
from onefold.evidence.export import Request, export
from onefold.evidence.manifest import check_folder
from onefold.orchestration.duties import AIRFLOW_ROLES
from onefold.orchestration.oidc.provider import identity_provider
from onefold.orchestration.pools import SERVICE_ACCOUNT
from onefold.platform import people
from onefold.platform.warehouse import connect_as
from onefold.settings import settings

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("evidence", epilog="Example: onefold audit evidence --from 2026-01-01 --to 2026-04-01 --out q1")
@click.option("--from", "since", type=_DAY, help="The first day, UTC.")
@click.option("--to", "until", type=_DAY, help="The day after the last one, UTC.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="The folder to make.")
@click.option(
    "--check", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Check this folder instead."
)
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --check: the public keys that you were given. Default: signing.pub of this installation.",
)
def evidence_command(
    since: datetime | None, until: datetime | None, out: Path | None, check: Path | None, key: Path | None
) -> None:
    """Write a signed folder for an auditor: access, approvals, changes, incidents, backups, retention and gaps.

    CSV, JSON and an index; no personal data of records. --check says whether a folder is as it was signed.
    """
    here = settings()
    if check is not None:
        keys = signing_key.read_verifiers(key or signing_key.public_file(here.audit_anchor.parent))
        checked = check_folder(check, keys)
        click.echo(f"OK: {checked.files} files of {checked.origin}, period {checked.period}, are as they were signed.")
        return
    if since is None or until is None or out is None or since >= until:
        raise click.UsageError("Give --from and a later --to, and --out; or --check and a folder.")
    request = Request(
        since=since.replace(tzinfo=UTC),
        until=until.replace(tzinfo=UTC),
        folder=out,
        people=[
            *(
                [
                    each.name,
                    each.person.issuer,
                    each.duty,
                    AIRFLOW_ROLES[each.duty],
                    "yes" if each.pii else "no",
                ]
                for each in people.people(lambda: connect_as("auditor", autocommit=True))
            ),
            [SERVICE_ACCOUNT, LOCAL, "none", people.airflow_users()[SERVICE_ACCOUNT], "no"],
        ],
        made_up_people="ONEFOLD_PEOPLE" not in os.environ and identity_provider() is None,
        places=len(places_of(here)),
        safe=spreadsheet_text,
    )
    try:
        with connect_as("auditor", autocommit=True) as connection:
            listed = export(connection, here, request)
    except psycopg.Error as error:
        raise Fatal(f"The warehouse cannot be read: {str(error).strip()}") from error
    missing = next(each.rows for each in listed if each.name == "gaps")
    click.echo(f"{out}: {len(listed)} tables, {missing} gaps; begin with {out / 'index.md'}")
