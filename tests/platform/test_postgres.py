"""The embedded PostgreSQL starts, survives kill -9 and touches nothing that is not its own."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from onefold.errors import Fatal
from onefold.platform import postgres_account
from onefold.platform.postgres import Postgres
from onefold.platform.postgres_account import FALLBACK, data_folder, delete_data
from tests.platform.polling import until

Start = Callable[..., Postgres]


def ask(postgres: Postgres, query: str) -> tuple[object, ...]:
    with psycopg.connect(postgres.url()) as connection:
        row = connection.execute(query).fetchone()
        assert row
        return row


def test_a_new_cluster_is_postgresql_18_in_utf8_with_the_builtin_locale(cluster: Postgres) -> None:
    version, provider, locale, encoding, timezone = ask(
        cluster,
        """
        SELECT current_setting('server_version_num')::int / 10000, datlocprovider::text, datlocale,
               pg_encoding_to_char(encoding), current_setting('TimeZone')
        FROM pg_database WHERE datname = 'postgres'
        """,
    )
    assert (version, provider, locale, encoding, timezone) == (18, "b", "C.UTF-8", "UTF8", "UTC")


def test_it_listens_on_this_machine_only_and_wants_a_password(cluster: Postgres) -> None:
    assert ask(cluster, "SHOW listen_addresses") == ("127.0.0.1",)
    assert ask(cluster, "SHOW unix_socket_directories") == ("",)
    assert ask(cluster, "SELECT DISTINCT auth_method FROM pg_hba_file_rules") == ("scram-sha-256",)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://postgres:wrong@127.0.0.1:{cluster.port}/postgres")


def test_no_value_reaches_the_log_which_only_its_owner_may_read(cluster: Postgres) -> None:
    """A cast that fails quotes the value in the message itself, a broken constraint the row in DETAIL."""
    refused = (
        "select '44051401359 Kowalski'::date",
        "create temp table t (v text check (v <> 'Kowalski')); insert into t values ('Kowalski')",
        "do $$ begin raise exception 'Kowalski'; end $$",
        "do $$ begin raise warning 'Kowalski'; end $$; select 1 / (length('Kowalski') - 8)",
        "selekt 'Kowalski'",
    )
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        for statement in refused:
            with pytest.raises(psycopg.Error):
                connection.execute(statement)
        with pytest.raises(psycopg.Error):
            connection.execute("select %s::int", ["Kowalski"])
    assert "Kowalski" not in cluster.log.read_text()
    assert stat.S_IMODE(cluster.log.stat().st_mode) == 0o600
    assert stat.S_IMODE(cluster.log.parent.stat().st_mode) == 0o700


def test_committed_rows_survive_kill_9_of_the_server(cluster: Postgres) -> None:
    with psycopg.connect(cluster.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
    pid = cluster.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    cluster.start()
    assert cluster.pid() != pid
    assert ask(cluster, "SELECT value FROM kept") == (42,)


def test_a_stale_pid_file_with_a_recycled_pid_does_not_hinder_the_start(home: Path, start_postgres: Start) -> None:
    cluster = start_postgres(home)
    cluster.stop()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        pid_file = data_folder(home) / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{data_folder(home)}\n0\n{cluster.port}\n\n127.0.0.1\n0 0\nready\n")
        assert not cluster.running()
        cluster.start()
        assert cluster.running()
        cluster.stop()
        assert stranger.poll() is None
        stranger.terminate()


def test_another_port_moves_the_running_server(home: Path, start_postgres: Start) -> None:
    first = start_postgres(home)
    second = start_postgres(home)
    assert second.port != first.port
    assert not first.running()
    assert ask(second, "SHOW port") == (str(second.port),)


def test_start_and_stop_may_be_called_again(cluster: Postgres) -> None:
    pid = cluster.pid()
    cluster.start()
    assert cluster.pid() == pid
    cluster.stop()
    cluster.stop()
    assert not cluster.running()


def test_a_taken_port_is_told_with_the_servers_own_words(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Fatal, match=rf"(?s)port {port} did not start.*could not bind"):
            Postgres(home, port, {"fsync": "off", "shared_buffers": "16MB"}).start()
    delete_data(home)


def test_a_port_that_is_taken_for_a_moment_only_delays_the_start(home: Path, start_postgres: Start) -> None:
    log = home / "logs" / "postgres.log"
    with socket.create_server(("127.0.0.1", 0)) as taken:

        def free_the_port() -> None:
            until(lambda: log.exists() and "could not bind" in log.read_text(), 60)
            taken.close()

        other = threading.Thread(target=free_the_port)
        other.start()
        cluster = start_postgres(home, taken.getsockname()[1])
        other.join()
    assert cluster.running()


def test_a_server_that_somebody_else_is_starting_is_waited_for(home: Path, start_postgres: Start) -> None:
    cluster = start_postgres(home)
    pid_file = data_folder(home) / "postmaster.pid"
    ready = pid_file.read_text()
    pid_file.write_text(ready.replace("ready   ", "starting"))  # as while it replays its log
    states = []

    def becomes_ready() -> None:
        states.append("ready")
        pid_file.write_text(ready)

    release = threading.Timer(0.3, becomes_ready)
    release.start()
    pid = cluster.pid()
    cluster.start()
    assert states == ["ready"] and cluster.pid() == pid
    release.join()


def test_a_home_that_nobody_may_enter_keeps_its_permissions(home: Path, start_postgres: Start) -> None:
    home.chmod(0o700)
    cluster = start_postgres(home)
    assert ask(cluster, "SELECT 1") == (1,)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    elsewhere = FALLBACK in data_folder(home).parents
    assert elsewhere == (os.geteuid() == 0)
    cluster.stop()
    folder = data_folder(home)
    assert not elsewhere or (folder.parent / "home").read_text() == str(home.resolve())
    delete_data(home)
    assert not folder.exists()
    assert not elsewhere or not folder.parent.exists()


def test_data_of_a_vanished_temporary_home_is_deleted_and_other_data_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_account, "FALLBACK", tmp_path / "fallback")
    owners = {"vanished": tmp_path / "gone", "unmounted": Path("/mnt/not-there/home"), "alive": tmp_path}
    for name, owner in owners.items():
        folder = tmp_path / "fallback" / name
        (folder / "data").mkdir(parents=True)
        (folder / "home").write_text(str(owner))
    postgres_account.delete_data_of_vanished_temporary_homes()
    assert {folder.name for folder in (tmp_path / "fallback").iterdir()} == {"unmounted", "alive"}


def test_where_shared_memory_is_small_files_take_its_place(
    home: Path, start_postgres: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = SimpleNamespace(total=64 << 20)
    monkeypatch.setattr("onefold.platform.postgres.shutil.disk_usage", lambda folder: small)
    server = start_postgres(home)
    with psycopg.connect(server.url(), options="-c parallel_setup_cost=0 -c parallel_tuple_cost=0") as connection:
        assert connection.execute("show dynamic_shared_memory_type").fetchone() == ("mmap",)
        connection.execute("set min_parallel_table_scan_size = 0; create table t as select generate_series(1, 5000) n")
        plan = connection.execute("explain (analyze) select count(*) from t a join t b using (n)").fetchall()
    assert any("Workers Launched: " in line for (line,) in plan)
