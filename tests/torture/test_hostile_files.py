"""The files of tests/connectors/files/test_hostile_files.py at full size, read with 1.6 GiB in minutes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from pathlib import Path

import pytest

from tests.connectors.files.hostile import many_members, sheet_part
from tests.connectors.files.office import HEADER, YESTERDAY
from tests.connectors.files.test_hostile_files import part

MIB = 1600
SECONDS = 300
BLOCK = 1 << 20

Pieces = Callable[[], Iterable[bytes]]


def long(begin: bytes, piece: bytes, mib: int, end: bytes = b"") -> Iterator[bytes]:
    """So much of the piece, between a beginning and an end."""
    yield begin
    yield from repeat(piece * (BLOCK // len(piece)), mib)
    yield end


FILES: dict[str, tuple[str, Pieces]] = {
    "a line of 1000 MiB": ("a.csv", lambda: long(f"{HEADER}\n".encode(), b"x", 1000)),
    "1000 MiB of letters": ("a.csv", lambda: long(f"{HEADER}\n".encode(), "ąćęłńóśż".encode("cp1250"), 1000)),
    "a row of 1000 MiB of quotations": ("a.csv", lambda: long(f'{HEADER}\n1;"\n'.encode(), b'";"\n', 1000)),
    "a million members": ("a.csv.zip", lambda: [many_members(1_000_000)]),
    "a million columns": (
        "a.xlsx",
        lambda: [part("xl/worksheets/sheet1.xml", sheet_part("<row>" + "<c><v>1</v></c>" * 1_000_000 + "</row>"))],
    ),
    "a text of 1000 MiB": ("a.xml", lambda: long(b"<k><wpis><nr>", b"x", 1000, b"</nr></wpis></k>")),
    "an attribute of 1000 MiB": ("a.xml", lambda: long(b"<k><wpis nr='", b"x", 1000, b"'/></k>")),
    "a record of many elements": ("a.xml", lambda: long(b"<k><wpis>", b"<a><b/></a>", 400)),
    "millions of levels": ("a.xml", lambda: long(b"<k>", b"<a>", 100)),
}


@pytest.mark.torture
@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.parametrize("case", FILES)
def test_a_file_of_full_size_is_read_within_bounds(tmp_path: Path, root: Path, case: str) -> None:
    name, pieces = FILES[case]
    path = tmp_path / "drops" / "in" / name
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.writelines(pieces())
    os.utime(path, (YESTERDAY.timestamp(), YESTERDAY.timestamp()))
    command = [
        sys.executable,
        "-m",
        "tests.torture.read_hostile",
        str(tmp_path / "drops"),
        name.split(".")[1],
        str(MIB),
    ]
    read = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False, env=os.environ
    )
    path.unlink()
    assert read.returncode == 0, read.stderr[-2000:]
    assert "refused: " in read.stdout and "MemoryError" not in read.stdout, read.stdout
