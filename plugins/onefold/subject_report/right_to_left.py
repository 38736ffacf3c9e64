"""Arabic and Hebrew as they are seen: a PDF draws letters from left to right in the form that it is given.

The order is the Unicode bidirectional algorithm's (UAX #9; fpdf2 has it). An Arabic letter's form depends on its
neighbours; the forms are those of Unicode's own table, Arabic Presentation Forms, as far as the font has them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from fpdf.bidi import BIDI_BRACKETS, BidiCharacter, BidiParagraph, auto_detect_base_direction
from fpdf.enums import TextDirection

_BLOCKS = (range(0xFB50, 0xFE00), range(0xFE70, 0xFF00))


def _read_forms() -> dict[tuple[str, str], str]:
    """By letter (or lam and alef) and kind of form (isolated, final, initial, medial)."""
    forms: dict[tuple[str, str], str] = {}
    for point in (point for block in _BLOCKS for point in block):
        kind, *letters = unicodedata.decomposition(chr(point)).split() or [""]
        text = "".join(chr(int(letter, 16)) for letter in letters)
        if kind.startswith("<") and (len(text) == 1 or (len(text) == 2 and text in _LAM_ALEF)):
            forms.setdefault((text, kind.strip("<>")), chr(point))
    return forms


_LAM_ALEF = {f"\u0644{alef}" for alef in "\u0622\u0623\u0625\u0627"}
_FORMS = _read_forms()
_MIRRORED = {bracket: pair["pair"] for bracket, pair in BIDI_BRACKETS.items()} | dict(zip("<>«»", "><»«", strict=True))


def is_right_to_left(text: str) -> bool:
    """Whether a letter of it is written from right to left."""
    return any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in text)


def starts_right(text: str) -> bool:
    """Whether the text as a whole is written from right to left: by its first letter that has a direction."""
    return auto_detect_base_direction(text) == TextDirection.RTL


def shape_line(line: str, has_glyph: Callable[[str], bool]) -> str:
    """One line's letters in their forms and in the order in which they are seen, from the left."""
    return "".join(map(_mirror, BidiParagraph(_join(line, has_glyph)).get_reordered_characters()))


def _mirror(letter: BidiCharacter) -> str:
    """A bracket that opens from right to left looks as one that closes from left to right (UAX #9, L4)."""
    return _MIRRORED.get(letter.character, letter.character) if letter.embedding_level % 2 else letter.character


def _join(line: str, has_glyph: Callable[[str], bool]) -> str:
    shaped = []
    at = 0
    while at < len(line):
        text = line[at : at + 2] if line[at : at + 2] in _LAM_ALEF else line[at]
        before = _joins_next(_neighbour(line[:at][::-1]))
        after = (text, "initial") in _FORMS and (_neighbour(line[at + len(text) :]), "final") in _FORMS
        kind = ("medial" if after else "final") if before else ("initial" if after else "isolated")
        form = _FORMS.get((text, kind)) or _FORMS.get((text, "final" if before else "isolated"))
        if form is None or not has_glyph(form):
            text = text[0]
            form = text
        shaped.append(form)
        at += len(text)
    return "".join(shaped)


def _neighbour(letters: str) -> str:
    """The first letter that is no mark above or below another one; none is ""."""
    return next((letter for letter in letters if unicodedata.category(letter) != "Mn"), "")


def _joins_next(letter: str) -> bool:
    return (letter, "initial") in _FORMS or letter == "\u0640"
