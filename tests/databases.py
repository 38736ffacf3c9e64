"""The databases of a test session: copied from a template, and kept in memory where there is room for them.

A copy is some 900 files. On ext4, which gives no inode away again for the first minute after its file was deleted,
making the next copy after a drop searches past all of those: 0.1 to 0.9 CPU seconds of system time a test, 0.02 in
memory. Copying files costs half of what copying through the log does.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from onefold.platform.postgres import Postgres
from onefold.platform.postgres_account import locate
from onefold.warehouse.access import ROLES

MEMORY = Path("/dev/shm")
NEEDED = 3 << 30
"""Bytes of memory that the databases of one session want at most, measured, with some to spare."""
TABLESPACE = "in_memory"


@contextmanager
def tablespace_in_memory(postgres: Postgres) -> Iterator[None]:
    """A tablespace in memory for the databases that copies() makes; where there is too little memory, the disk's."""
    _delete_what_ended_sessions_left()
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if not MEMORY.is_dir() or min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) < workers * NEEDED:
        yield
        return
    folder = Path(tempfile.mkdtemp(dir=MEMORY, prefix=f"onefold-tests-{os.getpid()}-"))
    try:
        locate(postgres.home).account.own(folder)
        _execute(postgres, "create tablespace {} location {}", TABLESPACE, sql.Literal(str(folder)))
        yield
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def copy_database(postgres: Postgres, template: str, prefix: str = "w") -> str:
    """A new database like `template`, to which nobody may be connected; returns its name."""
    name = f"{prefix}_{uuid.uuid4().hex[:12]}"
    with _server(postgres) as server:
        (there,) = server.execute("select count(*) from pg_tablespace where spcname = %s", [TABLESPACE]).fetchone()
        where = sql.Identifier(TABLESPACE if there else "pg_default")
        server.execute(
            sql.SQL("create database {} template {} strategy file_copy tablespace {}").format(
                sql.Identifier(name), sql.Identifier(template), where
            )
        )
        # An installation in the same cluster, which a test may make at any time, closes every database to PUBLIC.
        server.execute(
            sql.SQL("grant connect, temporary on database {} to {}").format(
                sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, ROLES))
            )
        )
    return name


def end_sessions(postgres: Postgres, name: str) -> None:
    """End every session of the database; Great Expectations keeps its pool, and what is in use cannot be copied."""
    with _server(postgres) as server:
        server.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", [name])


def drop_database(postgres: Postgres, name: str) -> None:
    """End every session of the database and delete it."""
    _execute(postgres, "drop database {} with (force)", name)


def _execute(postgres: Postgres, statement: str, *names: str | sql.Composable) -> None:
    parts = [name if isinstance(name, sql.Composable) else sql.Identifier(name) for name in names]
    with _server(postgres) as server:
        server.execute(sql.SQL(statement).format(*parts))


def _server(postgres: Postgres) -> psycopg.Connection:
    return psycopg.connect(postgres.url("postgres"), autocommit=True)


def _delete_what_ended_sessions_left() -> None:
    """A session that was killed could not give its memory back."""
    for folder in MEMORY.glob("onefold-tests-*"):
        pid = int(folder.name.split("-")[2])
        if not psutil.pid_exists(pid):
            shutil.rmtree(folder, ignore_errors=True)
