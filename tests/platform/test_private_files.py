"""Files that only their owner may read, and the folders that they stand in."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

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
