"""The letters of a PDF: what its fonts cannot show is named, [U+4E2D], instead of an empty box."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from onefold.errors import Fatal

FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
"""Latin, Cyrillic, Greek, Armenian, Georgian, Hebrew and Arabic letters, and the forms that Arabic ones take."""
_SIGNATURES = (b"\0\1\0\0", b"true", b"OTTO", b"ttcf")
"""https://learn.microsoft.com/typography/opentype/spec/otff#table-directory; "true" is Apple's."""


def require_font(path: Path) -> None:
    """Raises Fatal where the file is no TrueType or OpenType font."""
    with path.open("rb") as file:
        if file.read(4) not in _SIGNATURES:
            raise Fatal(f"{path} is no font. Give a TrueType or OpenType file (.ttf, .otf, .ttc); no PDF was written.")


class Letters:
    """What the fonts can show, and how many letters they could not."""

    def __init__(self, points: Iterable[int]) -> None:
        """points: the code points of which a font has a glyph."""
        self._points = frozenset(points)
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
