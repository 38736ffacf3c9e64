"""Takes a backup while everything runs: a copy of the whole cluster, and what of the home a restore needs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import psycopg

from onefold import __version__
from onefold.audit import AuditEvent, actor, append, signing_key
from onefold.errors import Fatal
from onefold.platform.airflow import WAREHOUSE_DATABASE
from onefold.platform.backup.manifest import (
    CLUSTER,
    HOME,
    Manifest,
    fingerprint,
    identity,
    new_manifest,
    postgres_version,
    require_intact,
    write_manifest,
)
from onefold.platform.lifecycle import Report
from onefold.platform.postgres import Postgres
from onefold.platform.postgres_account import Location, locate
from onefold.platform.secrets import load_secrets
from onefold.privacy import suppressions
from onefold.private_files import draft_private, private_folder
from onefold.settings import Settings
from onefold.warehouse.connection import connect
from onefold.warehouse.post_commit import anchor_and_deliver

_HEAD = "select seq, encode(hash, 'hex') from audit.event order by seq desc limit 1"


def take_backup(settings: Settings, folder: Path, *, with_secrets: bool, report: Report) -> Manifest:
    """Save the installation in an empty folder, which is made; read it all once more, and record it in the audit chain.

    Loads go on meanwhile: the copy is of the moment at which it ends. Raises Fatal when the warehouse does not run, the
    folder is not empty, or what was saved cannot be read again as it was; then nothing is left in it.
    """
    postgres = Postgres(settings.home, settings.pg_port)
    if not postgres.running():
        raise Fatal("The warehouse does not run. Start it with `bin/onefold up`; a backup is taken while it runs.")
    with _new(folder), connect(postgres.url(WAREHOUSE_DATABASE, "onefold_loader"), autocommit=True) as warehouse:
        location = locate(settings.home)
        seq, head = warehouse.execute(_HEAD).fetchone() or (0, "")
        # Anchors from before the copy are of events that are in it; erasures from after it are all that it may hold.
        secret = _secret_files(settings.home)
        _save(settings.home, folder, (path for path in (settings.home / "audit").rglob("*") if path not in secret))
        began = time.monotonic()
        _copy_cluster(postgres, location, folder / CLUSTER)
        report("the cluster is copied, with Airflow's database", time.monotonic() - began)
        _save(settings.home, folder, [suppressions.register_file()])
        if with_secrets:
            _save(settings.home, folder, secret)
        manifest = new_manifest(
            folder,
            made_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            onefold=__version__,
            postgres=postgres_version(),
            chain_seq=seq,
            chain_hash=head,
            has_secrets=with_secrets,
            secrets=fingerprint(settings.home / "secrets.json"),
            needs=[str(path.relative_to(settings.home)) for path in secret],
        )
        began = time.monotonic()
        require_intact(folder, manifest, location)
        write_manifest(folder, manifest)
        report("every byte of it was read again and is what was saved", time.monotonic() - began)
        _record(warehouse, manifest, folder)
    return manifest


@contextmanager
def _new(folder: Path) -> Iterator[None]:
    """An empty folder for its owner alone; emptied again when it does not become a backup."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Fatal(f"{folder} is not empty. Give a folder that is empty, or is not there yet.")
    private_folder(folder)
    try:
        yield
    except BaseException:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


def _copy_cluster(postgres: Postgres, location: Location, to: Path) -> None:
    """All databases, roles and settings, with the log that was written meanwhile."""
    password = load_secrets(postgres.home).database["postgres"]
    # By a file: an argument would stand in the list of processes.
    file = draft_private(to.with_name("pgpass"), f"127.0.0.1:{postgres.port}:*:postgres:{password}\n".encode())
    try:
        done = location.as_ourselves(
            "pg_basebackup",
            f"--dbname=postgresql://postgres@127.0.0.1:{postgres.port}/?passfile={quote(str(file), safe='')}",
            f"--pgdata={to}",
            *("--wal-method=stream", "--checkpoint=fast", "--manifest-checksums=SHA256", "--no-password"),
        )
    finally:
        file.unlink()
    if done.returncode:
        raise Fatal(f"PostgreSQL could not be copied to {to}: {done.stderr.strip()[-800:]}")


def _secret_files(home: Path) -> list[Path]:
    """Those that are there of: all passwords, the key that signs checkpoints, the key of the erased persons' HMACs."""
    paths = (home / "secrets.json", signing_key.private_file(home / "audit"), suppressions.key_file())
    return [path for path in paths if path.exists()]


def _save(home: Path, folder: Path, paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_file() and not path.name.startswith("."):  # no draft that is being written
            target = folder / HOME / path.relative_to(home)
            draft_private(target, path.read_bytes()).replace(target)


def _record(warehouse: psycopg.Connection, manifest: Manifest, folder: Path) -> None:
    """Who has made a copy of all that is personal stands in the chain."""
    facts = {"chain_seq": manifest.chain_seq, "has_keys": manifest.has_secrets}
    append(warehouse, AuditEvent(actor(), "backup.take", identity(folder), payload=facts))
    anchor_and_deliver(warehouse)
