"""A backup that is taken while loads go on is restored whole, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from onefold.audit import anchors, entries_from_database, signing_key, verify
from onefold.commands.audit import audit
from onefold.commands.backup import backup, restore
from onefold.erasure import lifecycle
from onefold.errors import Fatal
from onefold.load import gate_step
from onefold.platform import airflow
from onefold.platform.backup import manifest
from onefold.platform.postgres import Postgres, free_port
from onefold.platform.postgres_account import data_folder, delete_data
from onefold.platform.secrets import load_secrets
from onefold.settings import settings
from onefold.warehouse.install import install
from tests.erasure.office import Office, adam, traces, zofia
from tests.load.shop import SUITE, Shop, record
from tests.platform.conftest import FAST, reachable_home
from tests.roles import PASSWORDS


@dataclass(frozen=True)
class Saved:
    """An installation without services, a backup that was taken of it, and who was loaded before and meanwhile."""

    server: Postgres
    suites: Path
    folder: Path
    said: str
    before: frozenset[str]
    meanwhile: frozenset[str]

    @property
    def home(self) -> Path:
        return self.server.home


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    suites = tmp_path_factory.mktemp("suites")
    (suites / "shop__customer.yaml").write_text(SUITE)
    with _home() as home:
        server = Postgres(home, free_port(), FAST)
        server.start()
        airflow.create_database(server.url(), load_secrets(home).database["airflow"])
        with psycopg.connect(server.url("airflow")) as database:
            database.execute(
                "set role airflow; create schema metadata; create table metadata.dag_run (run_id text);"
                " insert into metadata.dag_run values ('manual__1')"
            )
        install(server.url(), load_secrets(home).database)
        with _at(server):
            shop = Shop(server.url("warehouse", "onefold_loader"), suites)
            shop.load([record("a", 1)])
            Office(shop.url, home).load("hr.employee", zofia(), adam())
            folder = tmp_path_factory.mktemp("backups") / "today"
            with _loading(shop) as loaded:
                done = CliRunner().invoke(backup, [str(folder)])
            assert done.exit_code == 0, done.output
            yield Saved(server, suites, folder, done.output, frozenset("a"), frozenset(loaded))
        server.stop()
        delete_data(home)


@pytest.fixture
def copied(saved: Saved, tmp_path: Path) -> Path:
    """A copy of the backup, to be damaged."""
    return Path(shutil.copytree(saved.folder, tmp_path / "copied"))


@pytest.fixture
def empty(saved: Saved) -> Iterator[Path]:
    """Another machine: a home with nothing but the secrets, which were kept elsewhere."""
    with _home() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEFOLD_HOME", str(home))
        patch.setenv("ONEFOLD_PG_PORT", str(free_port()))
        patch.delenv(signing_key.GIVEN, raising=False)
        for name in ("secrets.json", "audit/signing.key", "privacy/hmac.key"):
            if (saved.home / name).exists():
                (home / name).parent.mkdir(mode=0o700, exist_ok=True)
                shutil.copy(saved.home / name, home / name)
        yield home
        delete_data(home)


def test_a_backup_taken_while_loads_go_on_is_restored_whole_its_chain_verifies_and_loads_go_on(
    saved: Saved, empty: Path
) -> None:
    assert len(saved.meanwhile) > 1
    done = _restore(saved.folder)
    assert (done.exit_code, "bin/onefold audit verify" in done.output) == (0, True), done.output
    with _started(empty) as server:
        shop = Shop(server.url("warehouse", "onefold_loader"), saved.suites)
        kept = set(shop.current())
        assert saved.before <= kept <= saved.before | saved.meanwhile
        assert _verify(server).exit_code == 0
        shop.load([record("afterwards", 9)])
        assert set(shop.current()) == kept | {"afterwards"}
        assert _verify(server).exit_code == 0
        with psycopg.connect(server.url()) as superuser:
            assert superuser.execute(
                "select rolpassword is not null from pg_authid where rolname = 'airflow'"
            ).fetchall() == [(True,)]
        with psycopg.connect(server.url("airflow", "airflow")) as database:
            assert database.execute("select run_id from metadata.dag_run").fetchall() == [("manual__1",)]
        told = shop.query("select actor ~ '^os:', subject from audit.event where action = 'backup.restore'")
        assert told == [(True, manifest.identity(saved.folder))]


def test_who_was_erased_after_the_backup_is_erased_again_before_the_warehouse_opens(saved: Saved, empty: Path) -> None:
    """On the same machine: the cluster is lost, the anchors and the register of erasures are there."""
    with _at(saved.server):
        Office(saved.server.url("warehouse", "onefold_loader"), saved.home).erase()
        assert traces(saved.server.url("warehouse")) == []
    for name in ("audit", "privacy"):
        shutil.copytree(saved.home / name, empty / name, dirs_exist_ok=True)
    done = _restore(saved.folder)
    assert (done.exit_code, "erased again: 1 records" in done.output, "audit restored" in done.output) == (
        0,
        True,
        True,
    ), done.output
    with _started(empty) as server:
        assert traces(server.url("warehouse")) == []
        office = Office(server.url("warehouse", "onefold_loader"), empty)
        with pytest.raises(Fatal, match="older than its anchors"):
            office.load("hr.employee", adam(department="Board"))


@pytest.mark.full_matrix
def test_a_register_that_is_the_backups_own_is_said(saved: Saved, empty: Path, copied: Path) -> None:
    assert "who was erased after" in _restore(saved.folder).output


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte of a table": (lambda folder: _flip(_largest_table(folder)), "base/"),
    "a table's file is missing": (lambda folder: _largest_table(folder).unlink(), "base/"),
    "a byte of the log": (lambda folder: _flip(_log(folder)), "cluster/pg_wal/.* SHA-256 differs"),
    "no log": (lambda folder: _log(folder).unlink(), "cluster/pg_wal/.* is missing"),
    "a byte of the anchors": (lambda folder: _flip(folder / "home/audit/anchor.jsonl"), "anchor.jsonl is not what"),
    "a file too many": (lambda folder: (folder / "home/audit/more.jsonl").write_text("x"), "was not there when"),
    "PostgreSQL's list": (lambda folder: _flip(folder / "cluster/backup_manifest"), "backup_manifest is not what"),
    "it was not finished": (lambda folder: (folder / "backup.json").unlink(), "holds no complete backup"),
    "its own list is cut": (lambda folder: (folder / "backup.json").write_text("{"), "backup.json is damaged"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_incomplete_backup_is_refused_and_nothing_is_restored(
    copied: Path, empty: Path, damage: str
) -> None:
    before = _files(empty)
    harm, said = DAMAGES[damage]
    harm(copied)
    for arguments in ([], ["--check"]):
        done = CliRunner().invoke(restore, [str(copied), *arguments])
        with pytest.raises(Fatal, match=said):
            raise done.exception
    assert _files(empty) == before


def test_a_home_with_a_cluster_is_left_as_it_is(saved: Saved) -> None:
    with _at(saved.server):
        _refuses(saved.folder, r"There is a cluster in .*nothing is written over it.*Leave audit/ and privacy/")


def test_a_backup_of_another_postgresql_is_refused(saved: Saved, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onefold.platform.backup.restore.postgres_version", lambda: "19.1")
    _refuses(saved.folder, r"is of PostgreSQL 18\..*and here is 19\.1.*then upgrade")


@pytest.mark.full_matrix
def test_secrets_are_in_a_backup_only_when_asked_for_and_it_says_what_it_needs(
    saved: Saved, empty: Path, tmp_path: Path
) -> None:
    needs = "secrets.json, audit/signing.key"
    assert f"Not in it, and needed to restore it: {needs}" in saved.said
    assert {path.name for path in (saved.folder / "home").rglob("*")} & {"secrets.json", "signing.key"} == set()
    everything = b"".join(path.read_bytes() for path in saved.folder.rglob("*") if path.is_file())
    assert load_secrets(saved.home).fernet_key.encode() not in everything
    (empty / "secrets.json").unlink()
    _refuses(saved.folder, r"taken without secrets and needs secrets\.json\. Put them back")
    with _at(saved.server):
        done = CliRunner().invoke(backup, [str(tmp_path / "with"), "--with-secrets"])
    assert "It holds passwords and keys (secrets.json, audit/signing.key" in done.output
    for path in (tmp_path / "with" / "home").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert _restore(tmp_path / "with").exit_code == 0
    assert load_secrets(empty) == load_secrets(saved.home)


def test_secrets_of_another_installation_are_refused(saved: Saved, empty: Path) -> None:
    (empty / "secrets.json").unlink()
    load_secrets(empty)
    _refuses(saved.folder, "is of another installation")


def test_a_backup_into_a_folder_with_something_in_it_is_refused(saved: Saved, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("x")
    with _at(saved.server):
        done = CliRunner().invoke(backup, [str(tmp_path)])
        assert ("is not empty" in str(done.exception), [path.name for path in tmp_path.iterdir()]) == (True, ["kept"])


def test_a_backup_that_fails_leaves_nothing(saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onefold.platform.backup.take.require_intact", _fail)
    with _at(saved.server):
        CliRunner().invoke(backup, [str(tmp_path / "failed")])
    assert list((tmp_path / "failed").iterdir()) == []


def _fail(*_: object) -> None:
    raise Fatal("the disk gives other bytes than were written")


@contextmanager
def _home() -> Iterator[Path]:
    with reachable_home() as home:
        stored = load_secrets(home)
        content = json.loads((home / "secrets.json").read_text())
        content["database"] = {**stored.database, **PASSWORDS}
        (home / "secrets.json").write_text(json.dumps(content))
        yield home


@contextmanager
def _at(server: Postgres) -> Iterator[None]:
    """As a command of this installation; suites are not evaluated, and the log is not written anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEFOLD_HOME", str(server.home))
        patch.setenv("ONEFOLD_PG_PORT", str(server.port))
        patch.delenv(signing_key.GIVEN, raising=False)
        patch.setattr(gate_step, "evaluate_suite", lambda *_: [])
        patch.setattr(lifecycle, "renew_log", lambda connection: 0)
        yield


@contextmanager
def _started(home: Path) -> Iterator[Postgres]:
    server = Postgres(home, settings().pg_port, FAST)
    server.start()
    with _at(server):
        yield server
    server.stop()


@contextmanager
def _loading(shop: Shop) -> Iterator[list[str]]:
    """One load after the other, until the end; what was published."""
    loaded: list[str] = []
    ended = threading.Event()

    def load() -> None:
        while not ended.is_set():
            key = f"meanwhile-{len(loaded)}"
            shop.load([record(key, 2 + len(loaded) / 100)])
            loaded.append(key)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        yield loaded
    finally:
        ended.set()
        thread.join()


def _restore(folder: Path) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle, "renew_log", lambda connection: 0)
        return CliRunner().invoke(restore, [str(folder)])


def _refuses(folder: Path, said: str) -> None:
    with pytest.raises(Fatal, match=f"(?s){said}"):
        raise _restore(folder).exception


def _verify(server: Postgres) -> Result:
    with psycopg.connect(server.url("warehouse")) as superuser:
        found = verify(entries_from_database(superuser), anchors(settings().audit_anchor))
        assert found.fault is None
    return CliRunner().invoke(audit, ["verify"])


def _files(home: Path) -> list[str]:
    assert not data_folder(home).exists()
    return sorted(str(path) for path in home.rglob("*") if path.is_file() and path.parent.name != "run")


def _largest_table(folder: Path) -> Path:
    return max((folder / "cluster/base").rglob("[0-9]*"), key=lambda path: (path.is_file(), path.stat().st_size))


def _log(folder: Path) -> Path:
    return min(path for path in (folder / "cluster/pg_wal").iterdir() if path.is_file())


def _flip(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
