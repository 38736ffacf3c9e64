"""The engine's own texts (plans, reports) as parts of a page."""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt


class Document:
    """A text in Markdown, with its tables and lists. What people or sources have put into it stays text: HTML, links
    and pictures mean nothing in it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __html__(self) -> str:
        return str(_reader().render(self._text))


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    return reader.disable(["link", "image", "autolink", "reference", "html_block", "html_inline"])
