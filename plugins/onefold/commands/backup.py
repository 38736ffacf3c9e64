"""onefold backup and restore: the whole installation into a folder, and back."""

from __future__ import annotations

from pathlib import Path

import click

from onefold.commands.platform import say
from onefold.platform.processes import exclusive
from onefold.settings import settings

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(epilog="Example: onefold backup /srv/backups/2026-11-30")
@click.argument("folder", type=_FOLDER)
@click.option("--with-secrets", is_flag=True, help="Also passwords and keys: whoever has the folder can use them.")
def backup(folder: Path, with_secrets: bool) -> None:
    """Save the installation in FOLDER, which must be empty or not there yet; loads go on meanwhile.

    It holds all databases and roles, Airflow's too, the checkpoints of the audit chain, and the register of who was
    erased. Every byte is read again before it counts as a backup.
    """
    from onefold.platform.backup.take import take_backup

    manifest = take_backup(settings(), folder.resolve(), with_secrets=with_secrets, report=say)
    click.echo(f"Backup of {manifest.made_at}, up to audit event {manifest.chain_seq} or later, in {folder}")
    if with_secrets:
        click.echo(f"It holds passwords and keys ({', '.join(manifest.needs)}): keep it where they may be.")
    else:
        click.echo(f"Not in it, and needed to restore it: {', '.join(manifest.needs)}. Keep them elsewhere.")


@click.command(epilog="Example: onefold restore /srv/backups/2026-11-30 --check")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only read the backup, every byte; write nothing.")
def restore(folder: Path, check: bool) -> None:
    """Restore the backup in FOLDER into an ONEFOLD_HOME that has no cluster.

    Who was erased after the backup is erased again, before the warehouse can be read.
    """
    from onefold.platform.backup.restore import check_backup, restore_backup

    here = settings()
    if check:
        manifest = check_backup(here, folder.resolve(), say)
        click.echo(f"The backup of {manifest.made_at} is whole, up to audit event {manifest.chain_seq} or later.")
        return
    with exclusive(here.home, "restore"):
        older = restore_backup(here, folder.resolve(), say)
    click.echo("Restored. Start it with: bin/onefold up")
    if older:
        click.echo(
            "It is older than its anchors, so nothing is published until two people have said that it was a restore: "
            "bin/onefold audit restored (docs/runbooks/restore.md)"
        )
    else:
        click.echo("Then check the audit chain: bin/onefold audit verify")
