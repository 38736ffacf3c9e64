"""Workers that refresh one identity's token all the time, each killed at a moment that the servers choose.

Run as a program: forks the workers, and another in place of each that is killed. Its arguments are the server's
address, the warehouse's and the number of workers; the vault is in Airflow's variables.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

import requests

from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.http.sign_in.refresh import ConsentNeeded
from onefold.orchestration.tasks.vault_token_store import VaultStore
from onefold.settings import ROOT
from tests.http.calls import Out
from tests.http.token_family import AUTH
from tests.http.web_server import Asked, Say
from tests.vault.vault_server import FOLDER

MOMENTS = ("asked", "rotated", "writing", "written", "using")
"""Before the token server has rotated; before its answer; before the vault has stored; before its answer; before the
first use. What is lost after rotated and writing nobody has ever had."""
LOST = ("rotated", "writing")


class Killer:
    """A token server and the way to a vault, which kill their client in a share of all refreshes.

    The token server takes the newest token alone, and ends the family when another is shown; one with `grace` also
    takes that which was used last.
    """

    def __init__(self, refreshes: int, share: float, *, grace: bool, vault: Callable[[Asked], Say]) -> None:
        self.left, self.share, self.grace, self.vault = refreshes, share, grace, vault
        self.lock, self.dice = threading.Lock(), random.Random(7)
        self.kills: Counter[str] = Counter()
        self.consents, self.given, self.deaths = 0, 0, 0
        self.newest: str | None = "consent 0"
        self.last_used: str | None = None
        self.moment, self.worker = "", 0
        self.stored = ""
        self.faults: list[str] = []

    def answer(self, asked: Asked) -> Say:
        match asked.path:
            case "/token":
                with self.lock:
                    return self._token(parse_qs(asked.body.decode()))
            case "/items":
                return self._use(asked)
            case "/consent":
                with self.lock:
                    if asked.method == "POST" and self.newest is None:  # a person signs in anew
                        self.consents += 1
                        self.newest = f"consent {self.consents}"
                    return Say(body=json.dumps([f"consent {self.consents}", self.left > 0]).encode())
            case _:
                return self._store(asked)

    def _token(self, form: Mapping[str, list[str]]) -> Say:
        (shown,), (worker,) = form["refresh_token"], form["client_id"]
        if shown != self.newest and not (self.grace and shown == self.last_used):
            if self.newest is not None and family_of(shown) == self.consents:
                self.newest, self.last_used, self.deaths = None, None, self.deaths + 1
            return Say(400, b'{"error": "invalid_grant"}')
        self.worker, self.left = int(worker), self.left - 1
        self.moment = self.dice.choice(MOMENTS) if self.dice.random() < self.share else ""
        if self._kill("asked"):
            return Say(hang_up=True)
        self.given += 1
        self.newest, self.last_used = f"refresh {self.consents}.{self.given}", shown
        if self._kill("rotated"):
            return Say(hang_up=True)
        given = {"access_token": f"access {self.given}", "expires_in": 1, "refresh_token": self.newest}
        return Say(body=json.dumps(given).encode())

    def _store(self, asked: Asked) -> Say:
        writes = asked.method in ("POST", "PUT") and "/data/" in asked.path
        if writes and self._kill("writing"):
            return Say(hang_up=True)
        said = self.vault(asked)
        if writes and said.status == 200:
            self.stored = asked.body.decode()
        return Say(hang_up=True) if writes and self._kill("written") else said

    def _use(self, asked: Asked) -> Say:
        token = asked.headers["Authorization"].removeprefix("Bearer ")
        if f'\\"{token}\\"' not in self.stored and token == f"access {self.given}":
            self.faults.append(f"{token} was used before it was stored")
        self._kill("using", only=token == f"access {self.given}")
        return Say()

    def _kill(self, moment: str, *, only: bool = True) -> bool:
        if self.moment != moment or not only:
            return False
        self.moment = ""
        self.kills[moment] += 1
        os.kill(self.worker, signal.SIGKILL)
        return True


def family_of(token: str) -> int:
    """The number of the consent that a refresh token descends from."""
    return int(token.split()[1].partition(".")[0])


def refresh_until_done(url: str, warehouse_url: str, workers: int, environment: Mapping[str, str]) -> None:
    """Run the workers until the server has had its refreshes."""
    variables = {**os.environ, **environment, "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "tests.vault.refreshing", url, warehouse_url, str(workers)]
    done = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def consent(url: str, method: str) -> tuple[str, bool]:
    """The token that the connection holds, and whether there is more to do."""
    token, more = requests.request(method, f"{url}/consent", timeout=60).json()
    return token, more


def work(url: str, warehouse_url: str) -> None:
    """As tasks do, one after another in one process: each reads its connection, and signs in."""
    store = VaultStore("shop_api", warehouse_url, tuple, FOLDER)
    while True:
        consented, more = consent(url, "GET")
        if not more:
            return
        login = Endpoint(url, str(os.getpid()), None, {"refresh_token": consented}, store)
        try:
            Out(url, endpoint=login, auth=AUTH).get()
        except ConsentNeeded:
            consent(url, "POST")


def main(url: str, warehouse_url: str, workers: str) -> None:
    living: set[int] = set()
    for _ in range(int(workers)):
        living.add(_fork(url, warehouse_url))
    while living:
        pid, status = os.wait()
        living.discard(pid)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            living.add(_fork(url, warehouse_url))
        elif status:
            for each in living:
                os.kill(each, signal.SIGKILL)
            raise Fatal(f"A worker failed: {status}.")


def _fork(url: str, warehouse_url: str) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work(url, warehouse_url)
            code = 0
        except BaseException as error:  # noqa: BLE001 - this process must end here
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    return pid


if __name__ == "__main__":
    main(*sys.argv[1:])
