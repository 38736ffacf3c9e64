"""One installation of a test: its own home and ports, driven as a user drives it, by bin/onefold."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil
import psycopg
import requests
from psycopg.rows import dict_row

from onefold.orchestration.duties import Duty
from onefold.platform.airflow import WAREHOUSE_DATABASE
from onefold.platform.api import FINISHED, AirflowApi
from onefold.platform.people import first_of
from onefold.platform.postgres import Postgres, free_port
from onefold.platform.secrets import load_secrets
from onefold.settings import ROOT

COMPANIES = "200"
ONEFOLD = str(ROOT / "bin" / "onefold")
PATIENCE = 600
"""Seconds after which what has not happened never will. On a machine under load all takes several times as long."""
Found = TypeVar("Found")


def wait_for(find: Callable[[], Found | None], what: str, every: float = 0.25) -> Found:
    """Poll (`every` so many seconds) until there is something, and return it; fails the test after PATIENCE.

    Airflow spends 20 ms of a core on each answer, which what is waited for would have.
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := find()):
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE} s"
        time.sleep(every)
    return found


def at_rest(api: AirflowApi, dag_id: str) -> bool:
    """Whether no run of the DAG is in progress."""
    return all(run.state in FINISHED for run in api.dag_runs(dag_id))


def _two_free_ports() -> int:
    """A free port whose next one is free too: the sandbox's Redis listens there."""
    while True:
        port = free_port()
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port + 1))
            return port


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code, its standard output, and its standard error."""

    code: int
    output: str
    errors: str


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for the command to end."""
    output, errors = process.communicate(timeout=PATIENCE)
    return Ended(process.returncode, output, errors)


@dataclass(frozen=True)
class Installation:
    """A home and free ports; nothing runs until a command starts it."""

    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="onefold-scheduler-")))
    pg_port: int = field(default_factory=free_port)
    ui_port: int = field(default_factory=free_port)
    sandbox_port: int = field(default_factory=_two_free_ports)
    hooks_port: int = field(default_factory=free_port)
    api_port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    more: Mapping[str, str] = field(default_factory=dict)
    """Further settings."""
    program: Sequence[str] = (ONEFOLD,)

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of its commands; nothing of the caller's own installation or Airflow reaches them."""
        ours = ("ONEFOLD_", "AIRFLOW_", "SANDBOX_", "MAKE")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
            "ONEFOLD_HOME": str(self.home),
            "ONEFOLD_PG_PORT": str(self.pg_port),
            "ONEFOLD_UI_PORT": str(self.ui_port),
            "ONEFOLD_SANDBOX_PORT": str(self.sandbox_port),
            "ONEFOLD_HOOKS_PORT": str(self.hooks_port),
            "ONEFOLD_API_PORT": str(self.api_port),
            "ONEFOLD_METRICS_PORT": str(self.metrics_port),
            "SANDBOX_COMPANIES": COMPANIES,
            **self._engineer(),
            **self.more,
            # No test changes a DAG: they are read once, and not every half minute while others want the processors.
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        }

    def _engineer(self) -> Mapping[str, str]:
        """Commands act as the engineer, as scripts do it, in a home where nobody has signed in."""
        if not (self.home / "secrets.json").exists() or (self.home / "sessions").exists():
            return {}
        name, password = self.signs_in("engineer")
        file = self.home / "engineers-password"
        file.write_text(password)
        return {"ONEFOLD_USER": name, "ONEFOLD_PASSWORD_FILE": str(file)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """bin/onefold with these arguments, not waited for."""
        return self._begun([*self.program, *arguments])

    def types(self, block: str) -> subprocess.Popen[str]:
        """A block of shell, typed in the project's folder, not waited for; it ends when a command in it fails.

        Temporary files are the installation's own: what other tests have left in /tmp does not reach it.
        """
        temporary = self.home / "typed"
        temporary.mkdir(exist_ok=True)
        return self._begun(["bash", "-euo", "pipefail", "-c", f"export TMPDIR={shlex.quote(str(temporary))}\n{block}"])

    def _begun(self, command: Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> Ended:
        """bin/onefold with these arguments, ended."""
        with self.start(*arguments) as process:
            try:
                return ended(process)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

    def succeed(self, *arguments: str) -> str:
        """What a command that must succeed has written to its standard output."""
        command = self.run(*arguments)
        assert command.code == 0, f"{command.output}\n{command.errors}"
        return command.output

    def warehouse(self) -> psycopg.Connection:
        """The warehouse, as its superuser."""
        url = Postgres(self.home, self.pg_port).url(WAREHOUSE_DATABASE)
        return psycopg.connect(url, autocommit=True, row_factory=dict_row)

    def rows(self, query: str, *values: object) -> list[dict[str, object]]:
        """The rows of a query in the warehouse."""
        with self.warehouse() as connection:
            return connection.execute(query, values).fetchall()

    def has_conformed(self, load_id: object) -> bool:
        """Whether some publish of conform has taken this load in: its run is begun by whichever load ends first."""
        published = (
            "select from ops.publish_load join ops.publish using (publish_id)"
            " where load_id = %s and state = 'published'"
        )
        return bool(self.rows(published, load_id))

    def api(self) -> AirflowApi:
        """Airflow, as the engineer."""
        return AirflowApi(f"http://127.0.0.1:{self.ui_port}", *self.signs_in("engineer"))

    def comes_to_rest(self, dag_id: str) -> None:
        """Wait until no run of the DAG is in progress, whoever has begun it."""
        api = self.api()
        wait_for(lambda: at_rest(api, dag_id), f"the end of every run of {dag_id}", every=0.5)

    def signs_in(self, duty: Duty) -> tuple[str, str]:
        """The name and the password of the person with this duty."""
        name = first_of(duty).name
        return name, load_secrets(self.home).ui[name]

    def airflow(self, method: str, path: str, duty: Duty = "engineer", **body: object) -> dict[str, object]:
        """What Airflow's REST API answers the engineer, or somebody else."""
        answer = self.answers(method, f"/api/v2/{path}", duty, json=body or None)
        assert answer.ok, answer.text
        return answer.json()

    def answers(self, method: str, path: str, duty: Duty, **sent: object) -> requests.Response:
        """What Airflow's API server answers somebody who has signed in."""
        url = f"http://127.0.0.1:{self.ui_port}"
        login = dict(zip(("username", "password"), self.signs_in(duty), strict=True))
        token = requests.post(f"{url}/auth/token", json=login, timeout=30).json()["access_token"]
        return requests.request(method, url + path, headers={"Authorization": f"Bearer {token}"}, timeout=30, **sent)

    def sandbox(self, method: str, path: str, /, **body: object) -> dict[str, object]:
        """What /control answers."""
        headers = {"X-Truth-Token": (self.home / "sandbox" / "truth-token").read_text().strip()}
        url = f"http://127.0.0.1:{self.sandbox_port}/control/{path}"
        answer = requests.request(method, url, json=body or None, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def processes(self) -> list[psutil.Process]:
        """Every process on this machine that works on this home, by its environment, command line or folder."""
        home = str(self.home)
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if process.status() != psutil.STATUS_ZOMBIE and (
                    process.environ().get("ONEFOLD_HOME") == home
                    or any(home in word for word in process.cmdline())
                    or process.cwd().startswith(home)
                ):
                    found.append(process)
        return found

    def remove(self) -> None:
        """End it and delete its home."""
        self.succeed("down", "--delete-data")
        shutil.rmtree(self.home)
