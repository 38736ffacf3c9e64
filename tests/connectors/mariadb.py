"""A real MariaDB for tests: the installed one, or Debian's packages unpacked into a folder, which needs no root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from onefold.platform.postgres import free_port
from tests.debian import libraries, unpack
from tests.foreign_server import started

PACKAGE = "mariadb-server-core"
PASSWORD = "test-only"
ROLES = ("owner", "reader")
SYSTEM_TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")


@dataclass(frozen=True)
class Programs:
    """The server's program, its folder of SQL files, and where its libraries are if they are not the machine's."""

    server: Path
    share: Path
    libraries: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "LD_LIBRARY_PATH": self.libraries} if self.libraries else dict(os.environ)


def programs(cache: Path) -> Programs:
    """The installed MariaDB, or one unpacked below `cache`. Fails the test with what to do when there is neither."""
    for found in (shutil.which("mariadbd"), "/usr/sbin/mariadbd", "/usr/libexec/mariadbd"):
        if found and Path(found).exists():
            return Programs(Path(found), _share(Path(found).parents[1]))
    usr = cache / "usr"
    if not (usr / "sbin" / "mariadbd").exists():
        unpack(PACKAGE, cache)
    return Programs(usr / "sbin" / "mariadbd", _share(usr), libraries(cache))


def _share(usr: Path) -> Path:
    for name in ("mysql", "mariadb"):
        if (usr / "share" / name / SYSTEM_TABLES[0]).exists():
            return usr / "share" / name
    pytest.fail(f"MariaDB was found in {usr}, but not its {SYSTEM_TABLES[0]}: install the whole of {PACKAGE}.")


@pytest.fixture(scope="session")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real MariaDB."""
    with running(tmp_path_factory.mktemp("mariadb"), tmp_path_factory.mktemp("programs")) as port:
        yield port


@contextmanager
def running(folder: Path, cache: Path, options: tuple[str, ...] = ("--skip-log-bin",)) -> Iterator[int]:
    """A server on 127.0.0.1 with the users of ROLES, its data below `folder`; gives its port, ends it at the end."""
    found, port, data = programs(cache), free_port(), folder / "data"
    data.mkdir(parents=True)
    common = [str(found.server), "--no-defaults", f"--datadir={data}", f"--lc-messages-dir={found.share}"]
    common += [f"--character-sets-dir={found.share}/charsets", f"--plugin-dir={folder}"]
    common += ["--user=root"] if os.getuid() == 0 else []
    common += ["--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=0"]
    tables = "\n".join((found.share / name).read_text() for name in SYSTEM_TABLES)
    bootstrap = f"create database mysql;\nuse mysql;\nset @auth_root_socket = null;\n{tables}"
    made = subprocess.run(
        [*common, "--bootstrap", "--skip-grant-tables"], input=bootstrap.encode(), env=found.environment,
        capture_output=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr.decode(errors="replace")[-2000:]
    users = folder / "users.sql"
    users.write_text(
        "".join(f"create user {role}@'%' identified by '{PASSWORD}';\n" for role in ROLES)
        + "grant all privileges on *.* to owner@'%' with grant option;\n"
    )
    command = [*common, "--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/s", f"--init-file={users}"]
    command += ["--skip-name-resolve", f"--pid-file={folder}/pid", *options]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=found.environment, stdout=log, stderr=log)
    with started(server, folder / "log", lambda: _answers(port)):
        yield port


def _answers(port: int) -> bool:
    try:
        pymysql.connect(host="127.0.0.1", port=port, user="owner", password=PASSWORD, connect_timeout=2).close()
    except pymysql.err.OperationalError:
        return False
    return True
