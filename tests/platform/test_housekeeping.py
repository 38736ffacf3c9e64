"""Old logs are deleted, and a log that a service writes is rotated under it without losing the service's place."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from onefold.platform.housekeeping import delete_old_files, old_logs, rotate_logs

NOW = datetime(2026, 5, 2, 3, 30, tzinfo=UTC)


def write(path: Path, text: str, days_ago: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    then = (NOW - timedelta(days=days_ago)).timestamp()
    os.utime(path, (then, then))
    return path


def test_files_of_before_go_with_the_folders_that_held_nothing_else(tmp_path: Path) -> None:
    old = write(tmp_path / "tasks" / "dag_id=a" / "run_id=1" / "attempt=1.log", "x", 100)
    new = write(tmp_path / "tasks" / "dag_id=a" / "run_id=2" / "attempt=1.log", "x", 1)
    outside = write(tmp_path / "outside.log", "x", 100)
    (tmp_path / "tasks" / "latest").symlink_to(outside)
    assert delete_old_files(tmp_path / "tasks", NOW - timedelta(days=90)) == 1
    assert (old.parent.exists(), new.exists(), outside.exists()) == (False, True, True)


def test_a_service_goes_on_writing_into_a_log_that_was_rotated(tmp_path: Path) -> None:
    log = tmp_path / "scheduler.log"
    with log.open("ab", buffering=0) as service:
        service.write(b"before\n")
        (rotated,) = rotate_logs(tmp_path, NOW)
        service.write(b"after\n")
    assert (rotated.name, rotated.read_text(), log.read_text()) == ("scheduler.log.2026-05-02", "before\n", "after\n")
    assert oct(rotated.stat().st_mode & 0o777) == "0o600"
    assert rotate_logs(tmp_path, NOW) == [], "once a day"
    (tmp_path / "empty.log").touch()
    assert [path.name for path in rotate_logs(tmp_path, NOW + timedelta(days=1))] == ["scheduler.log.2026-05-03"]


def test_rotated_logs_go_after_their_time(tmp_path: Path) -> None:
    write(tmp_path / "postgres.log.2026-03-01", "x", 60)
    write(tmp_path / "postgres.log.2026-05-01", "x", 1)
    write(tmp_path / "postgres.log", "x", 60)
    assert [path.name for path in old_logs(tmp_path, NOW - timedelta(days=30))] == ["postgres.log.2026-03-01"]
