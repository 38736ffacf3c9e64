"""Upgrades the warehouse's schema: runs each numbered migration once, and the repeatable files after them.

How to add a migration: migrations/README.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from onefold import __version__, audit
from onefold.audit.owner import append_as_owner
from onefold.errors import Fatal, Retriable
from onefold.warehouse.access import ENGINE_LIMITS
from onefold.warehouse.brief_locks import change_briefly
from onefold.warehouse.db_errors import as_onefold_error
from onefold.warehouse.migration_files import FOLDER, SqlFile, fingerprint, numbered_migrations, repeatable_files
from onefold.warehouse.overdue_readers import end_overdue_readers
from onefold.warehouse.statement_statistics import UNCOUNTED

LOCK_TIMEOUT_SECONDS = 30
"""How long a migration tries to get a table that a load or a query uses, and waits for another upgrade to end."""
_FUNCTIONS = "91_functions"
"""The repeatable file that closes what _is_open() asks about."""

_OLD_MARK = "onefold schema 2"
"""The comment on schema ops of warehouses from before there were numbered migrations. 0001 to 0009 bring any of them to
the state of the last such release."""
_MARK = "Made by numbered migrations, listed in ops.schema_migration."
"""The comment since: an Onefold from before refuses a warehouse whose comment it does not know."""
_LEDGER = f"""
create schema if not exists ops;
comment on schema ops is '{_MARK}';
create table if not exists ops.schema_migration (
    name text primary key,
    sha256 text not null,
    engine_version text not null,
    seconds double precision not null,
    applied_at timestamptz not null default now()
);
comment on table ops.schema_migration is 'The numbered migrations that made this schema, one row per file.';
create table if not exists ops.schema_repeatable (
    sha256 text not null,
    engine_version text not null,
    applied_at timestamptz not null default now()
);
comment on table ops.schema_repeatable is
    'One row: the fingerprint of the functions, comments, views and grants that were applied last.';
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration that this warehouse has had."""

    sha256: str
    engine_version: str
    applied_at: str


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade did: the names of the migrations that it ran, and whether it ran the repeatable files."""

    migrations: tuple[str, ...]
    refreshed: bool

    def __str__(self) -> str:
        if self.migrations:
            return f"warehouse schema upgraded by {len(self.migrations)} migrations, up to {self.migrations[-1]}"
        return "warehouse views and grants renewed" if self.refreshed else "warehouse schema is of this version"


def upgrade_schema(database_url: str, folder: Path = FOLDER) -> Upgrade:
    """Apply what is missing, as the superuser that `database_url` names; nothing when nothing is.

    Each migration is one transaction with its row in ops.schema_migration and its audit event, so that after a crash
    the next upgrade continues with the one that was interrupted.

    Raises Fatal when the warehouse was made by a newer Onefold or by one that is too old, when a migration was changed
    after it had been applied, or when PostgreSQL refuses one; Retriable when a table stays in use or the server is
    lost.
    """
    migrations = numbered_migrations(folder)
    repeatable = repeatable_files(folder)
    with psycopg.connect(database_url, autocommit=True, connect_timeout=10) as connection:
        connection.execute(f"set lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
        connection.execute(f"set statement_timeout = '{ENGINE_LIMITS['statement_timeout']}'")
        connection.execute(UNCOUNTED)
        with _only_one(connection):
            _refuse_too_old(connection)
            applied = _applied(connection)
            _refuse_newer(applied, migrations)
            _refuse_changed(applied, migrations, folder)
            pending = [migration for migration in migrations if migration.name not in applied]
            if not applied:
                with _translated("the list of migrations"), connection.transaction():
                    connection.execute(_LEDGER)
            if pending:
                _end_overdue_readers(connection)
            for migration in pending:
                _apply(connection, migration)
            stale = _stale(connection, repeatable)
            if stale:
                _refresh(connection, stale, repeatable)
    return Upgrade(tuple(migration.name for migration in pending), bool(stale))


def _end_overdue_readers(connection: psycopg.Connection) -> None:
    """Nobody else does where neither a load nor the watchdog runs, as while the schema is upgraded."""
    with _translated("the sessions that hold up an upgrade"):
        found = connection.execute("select to_regprocedure('ops.end_overdue_readers(interval, interval, interval)')")
        if found.fetchone() != (None,):
            end_overdue_readers(connection)


def _apply(connection: psycopg.Connection, migration: SqlFile) -> None:
    name = f"migration {migration.name}"

    def change() -> None:
        started = time.monotonic()
        connection.execute(migration.content)
        connection.execute(
            "insert into ops.schema_migration (name, sha256, engine_version, seconds) values (%s, %s, %s, %s)",
            (migration.name, migration.sha256, __version__, time.monotonic() - started),
        )
        connection.execute("delete from ops.schema_repeatable")  # the views of what it changed are to be made again
        _audit(connection, "schema.migrate", migration.name, migration.sha256)

    with _translated(name):
        change_briefly(connection, change, lambda: name, LOCK_TIMEOUT_SECONDS)


def _stale(connection: psycopg.Connection, files: tuple[SqlFile, ...]) -> tuple[SqlFile, ...]:
    """The first file that is not what was applied, and all after it, which may be about what it makes; all after a
    migration. None where nothing has changed, and nothing was opened that one of them had closed."""
    rows = connection.execute("select name, sha256 from ops.schema_repeatable").fetchall()
    applied: dict[str, str] = dict(rows)
    if applied.keys() - {file.name for file in files}:  # one was taken away: what it had made is not known
        return files
    for position, file in enumerate(files):
        if applied.get(file.name) != file.sha256:
            return files[position:]
    return tuple(file for file in files if file.name == _FUNCTIONS) if _is_open(connection) else ()


def _refresh(connection: psycopg.Connection, files: tuple[SqlFile, ...], known: tuple[SqlFile, ...]) -> None:
    """Apply these of all that are known, in one transaction: a view that a migration dropped is made again, and a new
    table is granted."""
    with _translated("the repeatable files") as current:

        def change() -> None:
            for file in files:
                current.name = f"repeatable file {file.name}"
                connection.execute(file.content)
                connection.execute(
                    "insert into ops.schema_repeatable (name, sha256, engine_version) values (%s, %s, %s)"
                    " on conflict (name) do update"
                    " set (sha256, engine_version, applied_at) = (excluded.sha256, excluded.engine_version, now())",
                    (file.name, file.sha256, __version__),
                )
            names = [file.name for file in known]
            connection.execute("delete from ops.schema_repeatable where name <> all(%s)", (names,))
            _audit(connection, "schema.refresh", "repeatable", fingerprint(known))

        change_briefly(connection, change, lambda: current.name, LOCK_TIMEOUT_SECONDS)


def _audit(connection: psycopg.Connection, action: str, name: str, sha256: str) -> None:
    append_as_owner(
        connection,
        audit.AuditEvent(
            audit.actor(), action, f"schema:{name}", payload={"sha256": sha256, "engine_version": __version__}
        ),
    )


@contextmanager
def _only_one(connection: psycopg.Connection) -> Iterator[None]:
    """Two starts at once would both find a migration missing: the second waits for the first. Ends with the session."""
    try:
        connection.execute("select pg_advisory_lock(hashtext('onefold install'))")
    except psycopg.errors.LockNotAvailable:
        raise Retriable(
            f"Another `onefold up` has been upgrading the warehouse's schema for more than {LOCK_TIMEOUT_SECONDS} s. "
            "Wait for it to end, then try again."
        ) from None
    yield


class _Current:
    """What is being applied, for the error that names it."""

    def __init__(self, name: str) -> None:
        self.name = name


@contextmanager
def _translated(name: str) -> Iterator[_Current]:
    current = _Current(name)
    try:
        yield current
    except psycopg.Error as error:
        raise as_onefold_error(error, current.name).with_traceback(error.__traceback__) from None


def _applied(connection: psycopg.Connection) -> Mapping[str, Applied]:
    if not _exists(connection, "ops.schema_migration"):
        return {}
    rows = connection.execute(
        "select name, sha256, engine_version, to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')"
        " from ops.schema_migration"
    )
    return {name: Applied(sha256, engine_version, at) for name, sha256, engine_version, at in rows}


def _is_open(connection: psycopg.Connection) -> bool:
    """Whether an upgrade of PostgreSQL, an extension or somebody's grant has opened what 91_functions.sql closes."""
    row = connection.execute("select exists (select from ops.open_to_everybody())").fetchone()
    return row == (True,)


def _exists(connection: psycopg.Connection, table: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", (table,)).fetchone()
    return row is not None and bool(row[0])


def _refuse_too_old(connection: psycopg.Connection) -> None:
    found = connection.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = 'ops'"
    ).fetchone()
    if found and found[0] not in (_OLD_MARK, _MARK):
        raise Fatal(
            f"The warehouse was made by an Onefold that is too old to be upgraded ({found[0] or 'onefold schema 1'}; "
            f"upgrades begin with {_OLD_MARK}). Nothing was changed. Export what you need from it, then delete it with "
            "bin/onefold down --delete-data and load again, or stay with the Onefold that made it."
        )


def _refuse_newer(applied: Mapping[str, Applied], migrations: tuple[SqlFile, ...]) -> None:
    known = {migration.name for migration in migrations}
    if unknown := sorted(applied.keys() - known):
        newest = unknown[-1]
        raise Fatal(
            f"The warehouse was made by a newer Onefold ({applied[newest].engine_version}, migration {newest}); this "
            f"one is {__version__} and knows migrations up to {max(known, default='none')}. Nothing was changed. Use "
            "that Onefold, or a newer one."
        )


def _refuse_changed(applied: Mapping[str, Applied], migrations: tuple[SqlFile, ...], folder: Path) -> None:
    for migration in migrations:
        past = applied.get(migration.name)
        if past and past.sha256 != migration.sha256:
            raise Fatal(
                f"{folder / migration.name}.sql was changed after it had been applied to this warehouse "
                f"({past.applied_at} UTC, SHA-256 {past.sha256[:12]}…; now {migration.sha256[:12]}…). Nothing was "
                "changed. Restore the file as it was, and put the change into a new migration."
            )
