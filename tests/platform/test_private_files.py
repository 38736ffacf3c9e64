"""Files that only their owner may read, and the folders that they stand in."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from onefold.platform import processes
from onefold.privacy.secret_file import append_secret
from onefold.private_files import append_private, write_private


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.mark.parametrize(
    "write",
    [lambda path: append_private(path).close(), lambda p: append_secret(p, b"x"), lambda p: write_private(p, b"x")],
)
def test_a_private_file_closes_no_folder_that_others_use(tmp_path: Path, write) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)  # as /tmp
    for file in (shared / "a", shared / "own" / "b"):
        write(file)
        assert mode(file) == "0o600"
    assert (mode(shared), mode(shared / "own")) == ("0o1777", "0o700")


def test_nobody_else_can_hold_a_lock_of_the_installation(tmp_path: Path) -> None:
    """A lock can be held by whoever may read its file: then nobody starts, ends or restarts anything any more."""
    (tmp_path / "run").mkdir(mode=0o755)  # of an older release
    with processes.exclusive(tmp_path, "test"), processes.changing(tmp_path, 1) as alone:
        assert alone
        modes = {mode(path) for path in (tmp_path / "run").iterdir()}
        assert (mode(tmp_path / "run"), modes) == ("0o700", {"0o600"})
