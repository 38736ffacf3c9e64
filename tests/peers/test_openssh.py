"""A real OpenSSH server: its files are loaded, changed and deleted as the folder has them."""

from __future__ import annotations

import csv as csv_format
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncssh
import pytest

from onefold.connectors.files.opening import open_store
from onefold.connectors.page import PageReader
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.platform.postgres import free_port
from tests.connectors.files.office import SUITE, Office, csv, office
from tests.connectors.reading import reader
from tests.debian import libraries, unpack
from tests.foreign_server import started

pytestmark = pytest.mark.peers
PACKAGE = "openssh-server"


@dataclass
class OverSsh(Office):
    """The office whose folder is read from the server."""

    endpoint: Endpoint = field(default_factory=lambda: Endpoint(""))

    @contextmanager
    def source(self, stream_name: str, usage: object) -> Iterator[PageReader]:
        with open_store(self.system, self.endpoint, lambda attempt: None, limiter=MemoryLimiter()) as store:
            yield reader(self.system, "entry", self.endpoint, store, lambda after, changed: iter(()))

    def differences(self) -> set[tuple[str, ...]]:
        """Rows that only the files or only the warehouse has."""
        theirs = set()
        for path in sorted(self.root.glob("in/*.csv"), key=lambda each: each.stat().st_mtime):
            with path.open(encoding="cp1250", newline="") as file:
                for row in csv_format.DictReader(file, delimiter=";"):
                    theirs = {each for each in theirs if each[0] != row["nr"]}
                    theirs.add((row["nr"], row["kwota"].replace(",", "."), row["opis"]))
        ours = self.query(
            "select _key, _payload ->> 'kwota', _payload ->> 'opis' from staging.office__entry__current"
            " where not _deleted"
        )
        return theirs ^ set(ours)


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The server's program, and where its libraries are if they are not the machine's."""
    if installed := shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin"):
        return Path(installed), ""
    cache = tmp_path_factory.mktemp("openssh")
    unpack(PACKAGE, cache)
    return cache / "usr" / "sbin" / "sshd", libraries(cache)


@pytest.fixture
def over_ssh(
    sshd: tuple[Path, str], loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OverSsh]:
    """The server as a user of the machine that is not root: one who is not may let nobody else in."""
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    user = pwd.getpwnam("daemon") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    home, port = Path(tempfile.mkdtemp(prefix="onefold-openssh-")), free_port()
    host, own = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    (home / "host").write_bytes(host.export_private_key())
    (home / "authorized").write_bytes(own.export_public_key())
    (home / "root").mkdir()
    settings = {
        "Port": port, "ListenAddress": "127.0.0.1", "HostKey": home / "host", "PidFile": "none", "UsePAM": "no",
        "AuthorizedKeysFile": home / "authorized", "StrictModes": "no", "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no", "Subsystem": "sftp internal-sftp",
    }  # fmt: skip
    (home / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    (home / "host").chmod(0o600)
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "office__entry.yaml").write_text(SUITE)
    extra = {
        "host_key": host.export_public_key().decode(),
        "private_key": own.export_private_key().decode(),
        "settled_seconds": "0",
    }
    endpoint = Endpoint(f"sftp://127.0.0.1:{port}{quote(str(home / 'root'))}", user.pw_name, None, extra)
    program, where = sshd
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    for path in (home, *home.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)
    copy = home / "sshd"  # the cache of a test that root runs may be closed to others
    if where:
        where = f"{home}/lib"
        shutil.copytree(program.parents[2], home / "lib", symlinks=True)
    shutil.copy(program, copy)
    command = [copy, "-D", "-e", "-f", home / "config"]
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries(home / "lib")} if where else dict(os.environ)
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, **as_user)
    try:
        with started(server, home / "log", lambda: _answers(port)):
            yield OverSsh(home / "root", loader_url, tmp_path / "suites", endpoint=endpoint)
    finally:
        shutil.rmtree(home)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as wire:
            return wire.recv(4) == b"SSH-"
    except OSError:
        return False


def test_files_of_openssh_are_loaded_changed_and_deleted_without_a_difference(over_ssh: OverSsh):
    rows = {number: f"{number};31.01.2026;{number},50;Żółw {number}" for number in range(300)}
    for day in range(3):
        over_ssh.drop(f"dzień {day}.csv", csv(*list(rows.values())[day * 100 : day * 100 + 100]), minutes=day)
    assert over_ssh.load(source=over_ssh.source).rows_new == 300
    assert over_ssh.differences() == set()
    over_ssh.drop("dzień 1.csv", csv(*(f"{n};31.01.2026;{n},75;poprawka" for n in range(100, 150))), minutes=60)
    changed = over_ssh.load(source=over_ssh.source)
    assert (changed.rows_read, changed.rows_changed) == (50, 50)
    over_ssh.drop("dzień 3.csv", csv("999;31.01.2026;1,00;new"), minutes=61)
    assert over_ssh.load(source=over_ssh.source).rows_new == 1
    assert over_ssh.load(source=over_ssh.source).rows_read == 0


def test_a_row_that_a_newer_version_of_one_file_lacks_is_deleted(over_ssh: OverSsh):
    over_ssh.system = office(request={"path": "in/all.csv"})
    over_ssh.drop("all.csv", csv(*(f"{number};31.01.2026;1,00;x" for number in range(100))))
    over_ssh.load(source=over_ssh.source)
    assert over_ssh.differences() == set()
    over_ssh.drop("all.csv", csv(*(f"{number};31.01.2026;1,00;x" for number in range(95))), minutes=5)
    assert over_ssh.load(source=over_ssh.source).rows_deleted == 5
    assert over_ssh.differences() == set()
