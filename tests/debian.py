"""A Debian package that a machine lacks, downloaded and unpacked below a folder of the tests, without root."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

LISTS = Path("/var/lib/apt/lists")


def unpack(package: str, cache: Path) -> None:
    """Download the package and those that it needs and the machine lacks, and unpack them side by side.

    Fails the test with what to do where that cannot be.
    """
    apart = ["-o", f"Dir::State::Lists={cache}/lists", "-o", f"Dir::Cache={cache}/archives"]
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if any(LISTS.glob("*_Packages*")):
            apart = []
        else:  # a machine that was never told what there is: ask, and write nothing outside of our folder
            for folder in ("lists/partial", "archives/partial"):
                (cache / folder).mkdir(parents=True, exist_ok=True)
            subprocess.run(["apt-get", *apart, "update"], check=True, capture_output=True, timeout=300)
        asked = ["apt-cache", *apart, "depends", package]
        needed = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        names = [line.split()[-1] for line in needed.splitlines() if line.strip().startswith("Depends:")]
        lacking = [name for name in names if subprocess.run(["dpkg-query", "-W", name], capture_output=True).returncode]
        command = ["apt-get", *apart, "download", package, *lacking]
        subprocess.run(command, cwd=cache, check=True, capture_output=True, timeout=300)
        for downloaded in cache.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", downloaded, cache], check=True, capture_output=True)
            downloaded.unlink()
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", b"") or b"")[-500:]
        pytest.fail(
            f"These tests need {package}. It is not installed, and Debian's package could not be downloaded "
            f"({error}; {said!r}). Install {package}, or let apt-get reach its archive (apt-get update)."
        )
