"""A PostgreSQL that was built with SSL, which the embedded one was not: the machine's own, or Debian's, unpacked."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onefold.platform.postgres import free_port
from onefold.platform.postgres_account import NOBODY, Account
from tests.debian import libraries, unpack

INSTALLED = Path("/usr/lib/postgresql")
PACKAGE = "postgresql"
NEEDS = r"postgresql-\d+|lib(?!llvm).*"
"""The version that Debian's `postgresql` stands for, and its libraries without the compiler that long queries want."""
USER = "onefold_loader"


@dataclass(frozen=True)
class Programs:
    """The folder of the programs, and where their libraries are if they are not the machine's."""

    folder: Path
    libraries: str = ""


def programs(cache: Path) -> Programs:
    """Those of the machine, or those unpacked below `cache`. Fails the test with what to do when there are neither."""
    for found in sorted(INSTALLED.glob("*/bin/initdb"), reverse=True):
        if _has_ssl(found.with_name("postgres")):
            return Programs(found.parent)
    unpack(PACKAGE, cache, NEEDS)
    (found,) = cache.glob("usr/lib/postgresql/*/bin/initdb")
    assert _has_ssl(found.with_name("postgres"))
    return Programs(found.parent, libraries(cache))


@contextmanager
def running(certificate: Path, key: Path) -> Iterator[int]:
    """The port of 127.0.0.1 on which it shows this certificate, and lets USER in over SSL alone, without a password."""
    account = Account(NOBODY, NOBODY) if os.geteuid() == 0 else Account(os.geteuid(), os.getegid())
    folder = Path(tempfile.mkdtemp(prefix="onefold-ssl-"))  # pytest's own lets no other account in
    folder.chmod(0o755)
    try:
        found = programs(folder / "programs")

        def run(program: str, *arguments: str) -> None:
            done = account.run(["env", f"LD_LIBRARY_PATH={found.libraries}", str(found.folder / program), *arguments])
            assert done.returncode == 0, done.stdout + done.stderr

        home, port = folder / "home", free_port()
        home.mkdir()
        shown, private = (shutil.copy(file, home / file.name) for file in (certificate, key))
        private.chmod(0o600)
        for path in (home, shown, private):
            account.own(path)
        run("initdb", "--no-sync", "--auth=trust", f"--username={USER}", f"--pgdata={home / 'data'}")
        (home / "data" / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 trust\n")
        options = f"-cport={port} -clisten_addresses=127.0.0.1 -cunix_socket_directories={home} -cfsync=off"
        options += f" -cssl=on -cssl_cert_file={shown} -cssl_key_file={private}"
        data = f"--pgdata={home / 'data'}"
        run("pg_ctl", "start", "--wait", data, f"--log={home / 'log'}", f"--options={options}")
        try:
            yield port
        finally:
            run("pg_ctl", "stop", "--mode=immediate", data)
    finally:
        shutil.rmtree(folder)


def _has_ssl(server: Path) -> bool:
    return b"could not load server certificate file" in server.read_bytes()
