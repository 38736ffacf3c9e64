"""Every command of the README and the docs works, in the order in which a reader meets them.

`make test` alone is not run here: it is what runs this.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from onefold.audit import restore
from onefold.commands.main import cli
from onefold.settings import ROOT
from tests.docs.conftest import Reader
from tests.docs.pages import DOCS, PAGES, README, block_of, blocks, commands, name
from tests.scheduler.demo import Demo

HEADS = "system stream read new changed deleted quarantined gate seconds"
ROLE = re.compile(r"^-- as (loader|engineer|analyst|auditor)\n\Z", re.MULTILINE)


@pytest.mark.scheduler
def test_the_demo_says_what_the_readme_shows(first_demo: Demo, reader: Reader) -> None:
    said = {_shape(line) for line in [*first_demo.output.splitlines(), *reader.said.splitlines()]}
    shown = [line for line in block_of(README, HEADS).splitlines() if line.strip()]
    assert len(shown) > 8
    assert not [line for line in shown if _shape(line) not in said]


@pytest.mark.scheduler
@pytest.mark.parametrize("page", DOCS, ids=name)
def test_every_command_of_the_page_succeeds(reader: Reader, page: Path) -> None:
    for block in blocks(page, "sh"):
        reader.types(block)


@pytest.mark.scheduler
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_query_of_the_page_runs_as_the_role_that_it_names(reader: Reader, page: Path) -> None:
    for block in blocks(page, "sql"):
        role = ROLE.search(block.text)
        assert role, f"{block.where} does not end with -- as <role>"
        reader.asks(block, role[1])


@pytest.mark.scheduler
def test_every_table_and_function_that_the_docs_name_exists(reader: Reader) -> None:
    named = {
        table
        for page in PAGES
        for table in re.findall(
            r"(?<![\w./-])(?:staging|mapped|conformed|marts|ops|audit|lineage|landing)\.[a-z][a-z0-9_]*\b(?![/(.])",
            page.read_text(),
        )
        if not table.endswith(("_", ".md", ".py", ".yaml"))
    }
    assert len(named) > 20
    known = {
        str(row["name"])
        for row in reader.installation.rows(
            "select table_schema || '.' || table_name as name from information_schema.tables"
            " union select pronamespace::regnamespace::text || '.' || proname from pg_proc"
        )
    }
    assert sorted(named - known - {restore.ACTION}) == []  # an event's name has a dot too


def test_the_test_command_of_the_readme_is_make_test() -> None:
    assert [block.text for block in blocks(README, "console")] == ["$ make test\n"]


def test_every_shown_command_and_option_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = [(name(page), line) for page in PAGES for line in commands(page)]
    assert len(shown) > 30
    for page, line in shown:
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            assert words[1] in targets, f"{page}: {line}"
        else:
            _check(f"{page}: {line}", words[1:])


def _check(where: str, words: list[str]) -> None:
    """Every command word and option of a bin/onefold line is one that the program knows."""
    command: click.Command = cli
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(click.Context(command), word)
            assert found, f"{where}: there is no command {word}"
            command = found
        elif word.startswith("--") and word != "--help":
            options = {option for parameter in command.params for option in parameter.opts}
            assert word.split("=")[0] in options, f"{where}: there is no option {word}"


def _shape(line: str) -> str:
    """A line without what differs between two demos: figures, the password (of which a demo that writes into a pipe
    only says where it is), and how wide columns are."""
    line = re.sub(r"password: (in )?\S+", "password: …", line)
    return re.sub(r"\s+", " ", re.sub(r"-{2,}", "-", re.sub(r"\d[\d,.]*(?<=\d)", "0", line))).strip()
