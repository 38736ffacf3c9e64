"""Puts a backup into a home that has no cluster, and erases again whoever was erased since, before anybody can read."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from onefold.audit import AuditEvent, actor, append
from onefold.catalog.reader import read_catalog
from onefold.erasure.lifecycle import erase_again
from onefold.errors import Fatal
from onefold.platform.airflow import WAREHOUSE_DATABASE
from onefold.platform.backup.manifest import (
    CLUSTER,
    HOME,
    Manifest,
    fingerprint,
    identity,
    postgres_version,
    read_manifest,
    require_intact,
)
from onefold.platform.lifecycle import Report
from onefold.platform.postgres import Postgres, free_port
from onefold.platform.postgres_account import Location, data_folder, locate
from onefold.platform.processes import recorded
from onefold.platform.secrets import load_secrets
from onefold.privacy.suppressions import missing_lines, register_file
from onefold.private_files import draft_private
from onefold.settings import Settings
from onefold.warehouse.connection import connect
from onefold.warehouse.install import install
from onefold.warehouse.pre_commit import is_older_than_anchors

_HASH = "select encode(hash, 'hex') from audit.event where seq = %s"


def check_backup(settings: Settings, folder: Path, report: Report) -> Manifest:
    """Read every byte of a backup. Raises Fatal when it is damaged, incomplete or of another PostgreSQL."""
    manifest = read_manifest(folder)
    if manifest.postgres.split(".")[0] != postgres_version().split(".")[0]:
        raise Fatal(
            f"The backup in {folder} is of PostgreSQL {manifest.postgres}, and here is {postgres_version()}, which "
            f"cannot read its files. Restore it by Onefold {manifest.onefold}, then upgrade that installation."
        )
    began = time.monotonic()
    require_intact(folder, manifest, locate(settings.home))
    report("every byte of the backup is what was saved", time.monotonic() - began)
    return manifest


def restore_backup(settings: Settings, folder: Path, report: Report) -> bool:
    """Restore it; returns whether the warehouse is older than its anchors, which two people have to say then.

    The home's own anchors and register of erasures stay where they are: they know what happened after the backup. The
    server runs meanwhile on a port that nobody knows, and has ended when this returns. Raises Fatal, before anything is
    written, when the home has a cluster or lacks a secret that the backup needs, and what check_backup() raises.
    """
    _require_empty(settings)
    manifest = check_backup(settings, folder, report)
    _require_secrets(settings.home, folder, manifest)
    own_register = register_file().exists()
    _put_back_files(settings.home, folder)
    began = time.monotonic()
    _put_back_cluster(locate(settings.home), folder / CLUSTER)
    report("the cluster is copied back", time.monotonic() - began)
    if not own_register:
        report(
            f"{register_file()} is the backup's own: who was erased after {manifest.made_at} is not known here and is "
            "in this warehouse again. Where a newer copy of that file was kept, put it there before `bin/onefold up`",
            0,
        )
    began = time.monotonic()
    with _private_server(settings.home) as server:
        report(str(install(server.url(), load_secrets(settings.home).database)), time.monotonic() - began)
        return _settle(server.url(WAREHOUSE_DATABASE, "onefold_loader"), manifest, identity(folder), report)


def _settle(url: str, manifest: Manifest, name: str, report: Report) -> bool:
    began = time.monotonic()
    with connect(url, autocommit=True) as warehouse:
        _require_its_chain(warehouse, manifest)
        older, erased = is_older_than_anchors(warehouse), missing_lines(warehouse)
        facts = {"chain_seq": manifest.chain_seq, "lacks_erasures": bool(erased)}
        append(warehouse, AuditEvent(actor(), "backup.restore", name, payload=facts))
    if erased:
        plan = erase_again(url, read_catalog())
        report(f"erased again: {len(plan.records)} records of persons erased since", time.monotonic() - began)
    return older


def _require_empty(settings: Settings) -> None:
    if running := recorded(settings.home):
        raise Fatal(f"{', '.join(running)} runs in {settings.home}. Run `bin/onefold down` first.")
    data = data_folder(settings.home)
    if data.exists() and any(data.iterdir()):
        raise Fatal(
            f"There is a cluster in {data}, and nothing is written over it. Move it away (`bin/onefold down`, then "
            f"`mv {settings.home}/postgres {settings.home}/postgres.before`), or restore into another ONEFOLD_HOME. "
            "Leave audit/ and privacy/ where they are: they know what happened after the backup."
        )


def _require_secrets(home: Path, folder: Path, manifest: Manifest) -> None:
    missing = [name for name in manifest.needs if not (home / name).exists() and not (folder / HOME / name).exists()]
    if missing:
        raise Fatal(
            f"The backup was taken without secrets and needs {', '.join(missing)}. Put them back into {home} from "
            "where they are kept, with mode 0600. Nothing was restored."
        )
    kept = home if (home / "secrets.json").exists() else folder / HOME
    if fingerprint(kept / "secrets.json") != manifest.secrets:
        raise Fatal(
            f"{kept}/secrets.json is of another installation: its passwords and keys do not fit this backup. Put the "
            "one there that belongs to it. Nothing was restored."
        )


def _put_back_files(home: Path, folder: Path) -> None:
    """The home's own file stays, unless it is a beginning of the backup's: anchors and register are only added to."""
    for saved in (path for path in sorted((folder / HOME).rglob("*")) if path.is_file()):
        target, content = home / saved.relative_to(folder / HOME), saved.read_bytes()
        if not target.exists() or (target.suffix == ".jsonl" and content.startswith(target.read_bytes())):
            draft_private(target, content).replace(target)


def _put_back_cluster(location: Location, saved: Path) -> None:
    """Under another name first, and on disk before it gets its own: what was copied half is never started."""
    draft = location.data.with_name("restoring")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(saved, draft)
    for path in (draft, *draft.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        location.account.own(path)
    done = location.account.run([location.binaries / "initdb", "--sync-only", f"--pgdata={draft}"])
    if done.returncode:
        raise Fatal(f"What was restored could not be written to {draft}: {done.stderr.strip()[-800:]}")
    if location.data.exists():
        location.data.rmdir()  # empty: _require_empty()
    draft.rename(location.data)


@contextmanager
def _private_server(home: Path) -> Iterator[Postgres]:
    server = Postgres(home, free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _require_its_chain(warehouse: psycopg.Connection, manifest: Manifest) -> None:
    """Raises Fatal when the chain has not the event that was its newest when the backup began."""
    found = warehouse.execute(_HASH, (manifest.chain_seq,)).fetchone()
    if manifest.chain_seq and (found is None or found[0] != manifest.chain_hash):
        raise Fatal(
            f"Audit event {manifest.chain_seq}, the newest when the backup began, is not in what was restored: "
            "the backup is not what it says. Restore another one, and follow docs/runbooks/broken-chain.md."
        )
