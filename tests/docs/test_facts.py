"""What the README and the docs say of the project is so: paths, links, tests, systems, packages, settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onefold.catalog import readme
from onefold.catalog.reader import read_catalog
from onefold.settings import ROOT
from tests.docs.pages import DOCS, PAGES, README, codes, name

INDEX = ROOT / "docs" / "README.md"
TOP = {path.name for path in ROOT.iterdir() if path.name not in (".venv", ".onefold")}
TESTS = {
    found
    for file in (ROOT / "tests").rglob("test_*.py")
    for found in re.findall(r"^def (test_\w+)\(", file.read_text(), re.MULTILINE)
}
PLACEHOLDER = re.compile(r"<[^>]+>")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_path_in_backticks_exists(page: Path) -> None:
    paths = [code for code in codes(page) if re.fullmatch(r"[\w.<>*-]+(/[\w.<>*-]*)*", code)]
    ours = [path for path in paths if path.split("/")[0] in TOP]
    missing = [path for path in ours if not any(ROOT.glob(PLACEHOLDER.sub("*", path).rstrip("/")))]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    missing = [t for t in targets if not t.startswith("https://") and not (page.parent / t).exists()]
    assert missing == []


def test_every_page_is_reached_from_the_readme() -> None:
    assert "](docs/README.md)" in README.read_text()
    linked = set(re.findall(r"\]\((docs/[^)#]+)\)", README.read_text()))
    linked |= {f"docs/{target}" for target in re.findall(r"\]\(([^)#]+)\)", INDEX.read_text())}
    assert [name(page) for page in DOCS if page != INDEX and name(page) not in linked] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = {code for code in codes(page) if re.fullmatch(r"test_\w+", code)}
    assert sorted(named - TESTS) == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_tests_are_named_in_tables_and_not_in_running_text(page: Path) -> None:
    lines = [line for line in page.read_text().splitlines() if not line.startswith("|")]
    assert [line for line in lines if re.search(r"`test_\w+`", line)] == []


def test_every_guarantee_names_its_test() -> None:
    rows = re.findall(r"^\| \d+ \|.*$", (ROOT / "docs" / "load-protocol.md").read_text(), re.MULTILINE)
    assert len(rows) >= 7
    assert [row for row in rows if not re.search(r"`test_\w+`", row)] == []


def test_each_package_knows_only_those_above_it_in_the_architecture() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text().split("## Packages")[1].split("## ")[0]
    rows = [
        re.findall(r"`plugins/onefold/(\w+)(?:\.py)?`", line.split("|")[1])
        for line in table.splitlines()
        if "|" in line
    ]
    rank = {package: number for number, row in enumerate(rows) for package in row}
    assert len(rank) > 15
    engine = ROOT / "plugins" / "onefold"
    broken = []
    for file in engine.rglob("*.py"):
        package = file.relative_to(engine).parts[0].removesuffix(".py")
        known = re.findall(r"^\s*(?:from|import) onefold\.(\w+)", file.read_text(), re.MULTILINE)
        later = [name for name in known if package in rank and name in rank and rank[name] > rank[package]]
        broken += [f"{file.relative_to(ROOT)} knows {name}" for name in later]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_is_short(page: Path) -> None:
    assert len(page.read_text().splitlines()) <= (150 if page == README else 125)


def test_the_systems_of_the_readme_are_those_of_the_catalogue() -> None:
    systems = read_catalog().systems
    assert readme.generate(systems.values(), check=True) == []
    shown = re.findall(r"`staging\.(\w+?)__(\w+)`", README.read_text().split("<!-- systems -->")[1])
    assert shown == [(name, stream) for name, system in systems.items() for stream in system.streams]


def test_every_required_package_says_why() -> None:
    lines = (ROOT / "requirements.in").read_text().splitlines()
    required = [re.split(r"[=\[<>~ ]", line)[0] for line in lines if line and not line.startswith("#")]
    explained = re.findall(r"^\| `([\w.-]+)` \| .{15,}", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    assert explained == required


def test_every_setting_that_is_named_is_read_somewhere() -> None:
    read = "".join(
        path.read_text()
        for path in (
            *(ROOT / "plugins").rglob("*.py"),
            *(ROOT / "sandbox").rglob("*.py"),
            *ROOT.glob("docker-compose.yml"),
            *ROOT.glob("Makefile"),
        )
    )
    named = {
        variable for page in PAGES for variable in re.findall(r"\b(?:ONEFOLD|SANDBOX)_[A-Z_]*[A-Z]\b", page.read_text())
    }
    assert sorted(variable for variable in named if variable not in read) == []


def test_every_attack_of_the_threat_model_names_the_test_that_tries_it() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text()
    tables = re.findall(r"^\| Could \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) >= 20
    assert [row for row in rows if not re.search(r"\[`test_\w+`\]", row)] == []
    named = re.findall(r"\[`(test_\w+)`\]\(\.\./([\w./]+)\)", text)
    assert [each for each in named if f"\ndef {each[0]}(" not in (ROOT / each[1]).read_text()] == []
