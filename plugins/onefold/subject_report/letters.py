"""The letters of a PDF: what its fonts cannot show is named, [U+4E2D], instead of an empty box."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from fontTools.ttLib import TTFont

FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
"""Latin, Cyrillic, Greek, Armenian, Georgian, Hebrew and Arabic letters, and the forms that Arabic ones take."""


class Letters:
    """What the fonts can show, and how many letters they could not."""

    def __init__(self, fonts: Sequence[Path]) -> None:
        self._points: set[int] = set()
        for font in fonts:
            with TTFont(font, fontNumber=0, lazy=True) as opened:
                self._points.update(opened.getBestCmap())
        self.named = 0
        """How many letters were named instead of shown."""

    def has_glyph(self, letter: str) -> bool:
        """Whether a font has the letter."""
        return ord(letter) in self._points

    def name_missing(self, text: str) -> str:
        """The text in composed letters, with each that no font has, or that nobody would see, as its number."""
        lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\t", "    ")
        return "".join(map(self._name, lines))

    def _name(self, letter: str) -> str:
        if letter == "\n" or (self.has_glyph(letter) and unicodedata.category(letter)[0] != "C"):
            return letter
        self.named += 1
        return f"[U+{ord(letter):04X}]"
