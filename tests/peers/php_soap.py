"""A real PHP with its own SOAP server: Debian's packages unpacked into a folder, which needs no root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onefold.platform.postgres import free_port
from tests.debian import libraries, unpack
from tests.foreign_server import answers_http, started

VERSION = "8.2"
SERVER = Path(__file__).parent / "php" / "server.php"


@contextmanager
def running(cache: Path, log: Path, **environment: str) -> Iterator[str]:
    """The server of php/server.php on 127.0.0.1; gives its address, ends it at the end."""
    program, settings, own = _program(cache)
    port = free_port()
    command = [program, *settings, "-S", f"127.0.0.1:{port}", str(SERVER)]
    with log.open("wb") as output:
        server = subprocess.Popen(command, env={**os.environ, **own, **environment}, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    with started(server, log, lambda: answers_http(f"{url}/document?wsdl")):
        yield url


def _program(cache: Path) -> tuple[str, list[str], dict[str, str]]:
    """The installed PHP where it has both extensions, else one below `cache`: program, arguments, environment."""
    installed = shutil.which("php")
    if installed:
        modules = subprocess.run([installed, "-m"], capture_output=True, text=True, check=True).stdout.lower().split()
        if {"soap", "sqlite3"} <= {*modules}:
            return installed, [], {}
    for package, needs in ((f"php{VERSION}-cli", rf"lib.*|php{VERSION}-common"), (f"php{VERSION}-soap", r"lib.*")):
        unpack(package, cache, needs)
    unpack(f"php{VERSION}-sqlite3", cache, r"lib.*")
    (extensions,) = {path.parent for path in (cache / "usr" / "lib" / "php").rglob("soap.so")}
    settings = ["-n", "-d", f"extension_dir={extensions}", "-d", "extension=soap", "-d", "extension=sqlite3"]
    return str(cache / "usr" / "bin" / f"php{VERSION}"), settings, {"LD_LIBRARY_PATH": libraries(cache)}
