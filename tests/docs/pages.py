"""The README and the docs as tests read them: their fenced blocks, and what stands in backticks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from onefold.settings import ROOT

README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [README, *DOCS]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and where it begins."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """The page's path below the project's root; also its test's id."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[Block]:
    """The page's fenced blocks in these languages, in order."""
    text = page.read_text()
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2])
        for found in _FENCE.finditer(text)
        if found[1] in languages
    ]


def block_of(page: Path, first_line: str) -> str:
    """The text of the one block that begins with this line; how wide its columns are does not matter."""
    blocks = [found[2] for found in _FENCE.finditer(page.read_text())]
    (text,) = (block for block in blocks if block.partition("\n")[0].split() == first_line.split())
    return text


def codes(page: Path) -> list[str]:
    """What stands in backticks within the page's prose."""
    return _CODE.findall(_FENCE.sub("", page.read_text()))


def commands(page: Path) -> list[str]:
    """Every command line that the page shows: in blocks (a $ before it in console ones) and in backticks."""
    typed = [line.removeprefix("$ ") for block in blocks(page, "console") for line in block.text.splitlines()]
    typed += [line for block in blocks(page, "sh") for line in block.text.splitlines()]
    return [line for line in (*typed, *codes(page)) if line.startswith(("bin/onefold", "make "))]
