"""A real Redis for tests: the installed one, or Debian's packages unpacked into a folder, which needs no root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onefold.platform.postgres import free_port
from tests.debian import libraries, unpack
from tests.foreign_server import started

PASSWORD = "test-only"


@dataclass(frozen=True)
class RedisPrograms:
    """Where redis-server and redis-cli are."""

    server: Path
    cli: Path
    environment: dict[str, str]

    def cli_lines(self, port: int, *words: str) -> list[str]:
        """What redis-cli prints for a command."""
        command = [str(self.cli), "-p", str(port), *words]
        environment = self.environment | {"REDISCLI_AUTH": PASSWORD}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.splitlines()


def programs(cache: Path) -> RedisPrograms:
    """The installed Redis, or one unpacked below `cache`. Fails the test with what to do when there is neither."""
    server, cli = shutil.which("redis-server"), shutil.which("redis-cli")
    if server and cli:
        return RedisPrograms(Path(server), Path(cli), dict(os.environ))
    folder = cache / "usr" / "bin"
    if not (folder / "redis-server").exists():
        unpack("redis-server", cache, r"lib.*|redis-tools")
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries(cache)}
    return RedisPrograms(folder / "redis-server", folder / "redis-cli", environment)


@contextmanager
def running(folder: Path, found: RedisPrograms, port: int | None = None, *more: str) -> Iterator[int]:
    """A server on 127.0.0.1 that writes every command down before it answers; gives its port, ends it at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    command = [str(found.server), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "yes", "--appendfsync", "no", "--requirepass", PASSWORD, *more]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=found.environment, stdout=log, stderr=log)
    with started(server, folder / "log", lambda: b"Ready to accept" in (folder / "log").read_bytes()):
        yield port
