"""What a page shows: the figures that are marked in it, as text."""

from __future__ import annotations

from lxml import html


def shown(page: str, xpath: str = "//main") -> dict[str, str]:
    """By name, the figures (data-figure) within the first element that the path finds."""
    (within, *_) = html.fromstring(page).xpath(xpath)
    return {each.get("data-figure"): each.text_content().strip() for each in within.xpath(".//*[@data-figure]")}
