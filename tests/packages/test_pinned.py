"""What is installed is what was pinned: every package by its hash, and the image has no tool of the tests."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from onefold.settings import ROOT

PINNED = sorted(
    [ROOT / "requirements.txt", ROOT / "benchmarks/requirements.txt", *(ROOT / "requirements").glob("*.txt")]
)
PINNED.remove(ROOT / "requirements/accepted.txt")


def packages(path: Path) -> dict[str, str]:
    """Each package with all that stands about it: version and hashes."""
    entries = re.split(r"^(?=[a-z0-9])", path.read_text(), flags=re.MULTILINE)
    return {match[1]: entry for entry in entries if (match := re.match(r"([a-z0-9][\w.-]*)(?:\[[^]]*\])?==\S+", entry))}


@pytest.mark.parametrize("path", PINNED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_package_is_pinned_with_its_hashes(path: Path) -> None:
    found = packages(path)
    assert found
    assert [name for name, entry in found.items() if "--hash=sha256:" not in entry] == []


def test_nothing_is_installed_without_its_hash() -> None:
    for path in (ROOT / "bin/setup", ROOT / "Makefile", ROOT / "Dockerfile"):
        text = path.read_text().replace("\\\n", " ")
        installs = re.findall(r"^.*(?:pip sync|pip install).*$", text, re.MULTILINE)
        assert installs, path
        assert [line for line in installs if "--require-hashes" not in line] == []


def test_the_image_has_what_runs_of_the_same_versions_and_none_of_the_tools_of_the_tests() -> None:
    everything, image = packages(ROOT / "requirements.txt"), packages(ROOT / "requirements/image.txt")

    def version(entry: str) -> str:
        return entry.split("==")[1].split(maxsplit=1)[0]

    assert {name: version(entry) for name, entry in image.items()}.items() <= {
        name: version(entry) for name, entry in everything.items()
    }.items()
    tools = (ROOT / "requirements.in").read_text().partition("# --- tests and lint\n")[2].split()
    assert len(tools) > 15
    # Other packages of the image need these as well.
    assert sorted(set(tools) & image.keys() - {"altair", "jsonschema", "pillow"}) == []
    assert {"requirements/image.txt", "requirements/sign-in.txt"} <= set((ROOT / "Dockerfile").read_text().split())


def test_the_image_has_every_package_that_the_engine_and_the_sandbox_import() -> None:
    owners = packages_distributions()
    imported = set()
    for folder in ("plugins", "sandbox", "dags"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                    imported.add(node.module.split(".")[0])
    outside = imported - sys.stdlib_module_names - {"onefold", "sandbox", "airflow_local_settings", "_typeshed"}
    image = packages(ROOT / "requirements/image.txt").keys() | packages(ROOT / "requirements/sign-in.txt").keys()
    missing = {  # what is not installed here is called as its package
        name
        for name in outside
        if not {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners.get(name, [name])} & image
    }
    assert sorted(missing) == []
