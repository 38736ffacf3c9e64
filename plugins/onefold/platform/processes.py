"""Services as process sessions: detached from the terminal, recorded in home/run, ended together.

Each service leads a session of its own. Airflow gives its tasks process groups of their own, and they outlive a
killed parent, but every descendant stays in the session: all processes in it belong to the service.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from onefold.errors import Fatal, Retriable
from onefold.private_files import UMASK, append_private, private_folder, write_private
from onefold.settings import Settings

LOG_BYTES = 20_000_000
"""A log larger than this is rotated when its service starts again."""

HOOKS = "hooks"
"""The service that receives webhooks; it is there only where the catalogue has one."""

API = "api"
"""The register API."""

METRICS = "metrics"
"""What Prometheus scrapes."""

OWN = (HOOKS, API, METRICS)
"""The web services that are Onefold's own; each answers at /health."""

STOP_SECONDS = 8
"""How long a service may take to end by itself before it is killed."""


def health_urls(settings: Settings) -> dict[str, str]:
    """Where each of Onefold's own web services says that it is well."""
    urls = (settings.hooks_url, settings.api_url, settings.metrics_url)
    return {name: f"{url}/health" for name, url in zip(OWN, urls, strict=True)}


@dataclass(frozen=True)
class Service:
    """A program to keep running. `environment` is what we add to the caller's own."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)

    def fingerprint(self) -> str:
        """Changes when the command or our part of the environment does. Holds no secret, only a hash."""
        text = json.dumps([list(self.command), dict(self.environment)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Running:
    """What was recorded when a service was started; `started` is the kernel's start time (seconds since 1970)."""

    name: str
    pid: int
    started: float
    fingerprint: str

    def leader(self) -> psutil.Process | None:
        """The service's first process if it lives; a recycled pid has another start time, so it is not ours."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                return process
        except psutil.NoSuchProcess:
            pass
        return None

    def members(self) -> list[psutil.Process]:
        """Every live process of the service's session, also when its leader has been killed."""
        if self.leader() is None and psutil.pid_exists(self.pid) and not _is_zombie(self.pid):
            return []  # the kernel gives a session's number away only when the whole session is gone
        found = []
        for process in psutil.process_iter():
            try:
                if (
                    os.getsid(process.pid) == self.pid
                    and process.create_time() > self.started - 1
                    and process.status() != psutil.STATUS_ZOMBIE
                ):
                    found.append(process)
            except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
                continue
        return found


def environment(added: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment with these variables. A setting of the caller's that one of them replaces by a command
    (its name with _CMD) is left out: Airflow would prefer it."""
    return {**{name: value for name, value in os.environ.items() if f"{name}_CMD" not in added}, **added}


def start(home: Path, service: Service) -> Running:
    """Start a service detached from this terminal; its output goes to home/logs/<service>.log."""
    log_path = home / "logs" / f"{service.name}.log"
    private_folder(log_path.parent)
    if log_path.exists() and log_path.stat().st_size > LOG_BYTES:
        log_path.replace(log_path.with_suffix(".log.1"))
    with append_private(log_path) as log:
        process = subprocess.Popen(
            service.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
            env=environment(service.environment),
            start_new_session=True,
            umask=UMASK,
        )
    running = Running(service.name, process.pid, psutil.Process(process.pid).create_time(), service.fingerprint())
    record = _record(home, service.name)
    private_folder(record.parent)
    write_private(record, json.dumps(asdict(running)).encode())
    return running


def recorded(home: Path) -> dict[str, Running]:
    """The services that were started and not yet stopped, dead ones included, by name."""
    found = {}
    for path in sorted((home / "run").glob("*.json")):
        with contextlib.suppress(ValueError, TypeError):  # cut short by a crash: such a file has no process to end
            found[path.stem] = Running(**json.loads(path.read_text()))
    return found


def stop(home: Path, services: Sequence[Running], seconds: float = STOP_SECONDS) -> None:
    """End the services with all their descendants: TERM, then KILL after `seconds`, and forget them.

    What a killed leader has left behind is killed at once: without its leader it ends nothing in order.

    Raises Retriable when a process survives even that.
    """
    _signal_until_gone([service for service in services if service.leader()], signal.SIGTERM, seconds)
    _signal_until_gone(services, signal.SIGKILL, 10)
    survivors = [process.pid for service in services for process in service.members()]
    if survivors:
        raise Retriable(f"These processes could not be ended: {', '.join(map(str, survivors))}. Try again.")
    for service in services:
        _record(home, service.name).unlink(missing_ok=True)


def require_free_port(port: int, variable: str, what: str) -> None:
    """Raises Fatal, naming the port, the program that has it and the variable to set, when the port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return
        except OSError:
            pass
    raise Fatal(
        f"Port {port} ({what}) is taken by {_listener(port)}. "
        f"End that program, or choose another port: {variable}=<port> bin/onefold …"
    )


@contextlib.contextmanager
def exclusive(home: Path, purpose: str) -> Iterator[None]:
    """Hold this home alone. Raises Fatal, naming who holds it, when another command works on it."""
    path = private_folder(home / "run") / "lock"  # whoever may read a lock can hold it
    with append_private(path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Fatal(
                f"`{lock.read().decode().strip() or 'another command'}` is at work on {home}. Wait until it has ended."
            ) from None
        lock.truncate(0)
        lock.write(f"onefold {purpose} (pid {os.getpid()})".encode())
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


@contextlib.contextmanager
def changing(home: Path, wait: float) -> Iterator[bool]:
    """Start and end services alone; False when others have been doing so for `wait` seconds.

    Commands hold a home for minutes (exclusive); this is held only while services change, so that the watchdog can
    restart one in the middle of a demo and never in the middle of `up`.
    """
    path = private_folder(home / "run") / "services.lock"
    deadline = time.monotonic() + wait
    with append_private(path) as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                yield False
                return
            yield True
            return


def _signal_until_gone(services: Sequence[Running], what: signal.Signals, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    signalled: set[int] = set()
    while members := [process for service in services for process in service.members()]:
        for process in members:
            if process.pid not in signalled:  # also those forked meanwhile
                signalled.add(process.pid)
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(what)
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


def _record(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.json"


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _listener(port: int) -> str:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        connections = []
    for connection in connections:
        address = connection.laddr
        if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                process = psutil.Process(connection.pid)
                return f"{process.name()} (pid {process.pid})"
    return "another user's program"
