"""A Debian package that a machine lacks, downloaded and unpacked below a folder of the tests, without root."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

LISTS = Path("/var/lib/apt/lists")
LIBRARIES = r"lib.*"


def unpack(package: str, cache: Path, needs: str = LIBRARIES) -> None:
    """Download the package and what the machine lacks of what it depends on, and unpack them side by side.

    Of those, only what `needs`, a regular expression, takes: a program that is not installed wants its libraries and
    no scripts. Fails the test with what to do where that cannot be.
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
        lacking = _lacking(package, re.compile(needs), apart)
        command = ["apt-get", *apart, "download", *lacking]
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


def libraries(cache: Path) -> str:
    """The value of LD_LIBRARY_PATH with which what was unpacked finds its libraries."""
    found = (*(cache / "usr").rglob("*.so*"), *cache.glob("lib/**/*.so*"))
    return os.pathsep.join(sorted({str(path.parent) for path in found}))


def _lacking(package: str, needs: re.Pattern[str], options: Iterable[str]) -> list[str]:
    """The package, and what of it and of its own needs is not installed."""
    asked = ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\n"]
    known = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()
    installed = {line.split()[1] for line in known if line.startswith("installed ")}
    lacking, ahead = [package], [package]
    while ahead:
        groups, ahead = _dependencies(ahead, options), []
        for either in groups:
            fitting = [name for name in either if needs.fullmatch(name)]
            if fitting and not installed & {*either} and not {*lacking} & {*either}:
                lacking.append(fitting[0])
                ahead.append(fitting[0])
    return lacking


def _dependencies(packages: Iterable[str], options: Iterable[str]) -> list[list[str]]:
    """What packages depend on: of each list, one is enough."""
    asked = ["apt-cache", *options, "depends", "--important", *packages]
    lines = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()
    groups: list[list[str]] = []
    goes_on = False
    for line in lines:
        if one := re.fullmatch(r" ([ |])(?:Pre)?Depends: (\S+)", line):
            if not goes_on:
                groups.append([])
            groups[-1].append(one[2])  # <name>: no package, but something that several provide
            goes_on = one[1] == "|"
    return groups
