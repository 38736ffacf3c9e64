"""Which text a target can hold: composed, replaced as declared, else refused with the character named; never "?"."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from onefold.catalog.target import Characters, Length
from onefold.write_back.formats import Unwritable

_ALLOWED_CONTROLS = "\t\n\r"


@dataclass(frozen=True, slots=True)
class Fitted:
    """The text as the target holds it. `replaced` has the characters that the table has replaced, each once, with what
    is written in their place: "€ → EUR"."""

    text: str
    replaced: tuple[str, ...] = ()


def fit(text: str, characters: Characters, length: Length | None = None) -> Fitted:
    """The text as the target is given it. Raises Unwritable, naming the character or the length."""
    table = {unicodedata.normalize("NFC", given): written for given, written in characters.replacements.items()}
    composed = unicodedata.normalize("NFC", text)
    written = "".join(table.get(character, character) for character in composed)
    for character in written:
        if not _is_text(character, characters.encoding):
            raise Unwritable(f"{_named(character)} does not exist in {characters.encoding}; replace it in characters")
    if length is not None:
        size = len(written.encode(characters.encoding)) if length.unit == "bytes" else len(written)
        if size > length.max:
            raise Unwritable(f"it has {size} {length.unit}, and the target holds {length.max}")
    return Fitted(written, tuple(dict.fromkeys(f"{each} → {table[each]}" for each in composed if each in table)))


def _is_text(character: str, encoding: str) -> bool:
    if unicodedata.category(character) in ("Cc", "Cs") and character not in _ALLOWED_CONTROLS:
        return False
    try:
        return character.encode(encoding).decode(encoding) == character
    except UnicodeError:
        return False


def _named(character: str) -> str:
    name = unicodedata.name(character, "a control character or no character")
    shown = f' "{character}"' if character.isprintable() else ""
    return f"U+{ord(character):04X}{shown} ({name})"
