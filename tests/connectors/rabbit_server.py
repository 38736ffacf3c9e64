"""A real RabbitMQ for tests: Debian's packages unpacked into a folder, which needs no root."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pika
import pytest

from onefold.platform.postgres import free_port
from tests.debian import libraries, unpack
from tests.foreign_server import started


@dataclass(frozen=True)
class RabbitPrograms:
    """Where Erlang and RabbitMQ are."""

    erlang: Path
    rabbit: Path
    libraries: str

    @property
    def runtime(self) -> Path:
        """Erlang's own programs."""
        return next(self.erlang.glob("erts-*")) / "bin"


def programs(cache: Path) -> RabbitPrograms:
    """The installed RabbitMQ, or one unpacked below `cache`. Fails the test with what to do when there is neither."""
    usr = Path("/usr") if shutil.which("rabbitmq-server") else cache / "usr"
    if not (usr / "lib" / "rabbitmq").exists():
        unpack("rabbitmq-server", cache, r"lib.*|erlang.*")
    found = sorted((usr / "lib" / "rabbitmq" / "lib").glob("rabbitmq_server-*"))
    if not found:
        pytest.fail(f"RabbitMQ was found in {usr}, but no rabbitmq_server: install the whole of rabbitmq-server.")
    return RabbitPrograms(usr / "lib" / "erlang", found[-1], "" if usr == Path("/usr") else libraries(cache))


@contextmanager
def running(folder: Path, found: RabbitPrograms, port: int | None = None) -> Iterator[int]:
    """A broker on 127.0.0.1 with its data below `folder`; gives its port, ends it at the end."""
    port, names = port or free_port(), free_port()
    for part in ("home", "db", "log"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    plugins = folder / "enabled_plugins"
    plugins.write_text("[].")
    environment = {
        **os.environ,
        **({"LD_LIBRARY_PATH": found.libraries} if found.libraries else {}),
        "HOME": str(folder / "home"),
        "ROOTDIR": str(found.erlang),
        "BINDIR": str(found.runtime),
        "EMU": "beam",
        "PROGNAME": "erl",
        "ERL_LIBS": str(found.rabbit / "plugins"),
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": "onefold@localhost",
        "RABBITMQ_MNESIA_BASE": str(folder / "db"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_HOME": str(found.rabbit),
    }
    with (folder / "output").open("wb") as output:
        resolver = subprocess.Popen(
            [found.runtime / "epmd", "-address", "127.0.0.1", "-port", str(names)],
            env=environment, stdout=output, stderr=output,
        )  # fmt: skip
        command = [found.runtime / "erlexec", "-noinput", "-s", "rabbit", "boot"]
        command += ["-boot", found.erlang / "bin" / "start_sasl", "-sasl", "sasl_error_logger", "false"]
        command += ["-kernel", "inet_dist_use_interface", "{127,0,0,1}"]
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output)
    try:
        with started(server, folder / "output", lambda: _answers(port)):
            yield port
    finally:
        resolver.terminate()
        resolver.wait(30)


def open_broker(port: int, virtual_host: str = "/") -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, virtual_host))


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        open_broker(port).close()
    except (pika.exceptions.AMQPError, OSError):
        return False
    return True
