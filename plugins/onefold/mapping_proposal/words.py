"""Names as meanings: `DataWystawienia`, `issue_date` and `rechnungsdatum` are the same two words."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from onefold.catalog.yaml_file import read_yaml

_STEM = 4
"""Letters that a stem has at least; a shorter one could be any word's."""
DICTIONARY = Path(__file__).with_name("words.yaml")
_WORD = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_FILTER = re.compile(r"\?\s*\([^()]*\)")
_LETTERS = str.maketrans(
    {"ł": "l", "Ł": "L", "ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
)
_EMPTY = frozenset({
    "a", "an", "and", "as", "by", "c", "czy", "dla", "for", "has", "i", "in", "is", "it", "its", "jest", "na", "of",
    "our", "or", "s", "the", "their", "to", "und", "we", "w", "with", "z",
})  # fmt: skip
"""Words that say nothing in a name."""


@cache
def dictionary() -> dict[str, str]:
    """The meaning of each word, or of several with blanks between them."""
    lines = TypeAdapter(dict[str, list[str]]).validate_python(read_yaml(DICTIONARY).value)
    return {word: meaning for meaning, words in lines.items() for word in words}


@cache
def _stems() -> dict[str, str]:
    """The meaning of each single word without its ending; the first line that has it counts."""
    found: dict[str, str] = {}
    for word, meaning in dictionary().items():
        if " " not in word and len(_stem(word)) >= _STEM:
            found.setdefault(_stem(word), meaning)
    return found


@cache
def _longest() -> int:
    return max(word.count(" ") + 1 for word in dictionary())


def split_words(name: str) -> list[str]:
    """The words of a name, in small letters, without accents: of camelCase, snake_case and of a text."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS)).encode("ascii", "ignore").decode()
    return [word.lower() for word in _WORD.findall(plain)]


@cache
def meanings(name: str) -> tuple[str, ...]:
    """What the words of a name mean, in their order; a word that the dictionary lacks stands for itself.

    Several words that count as one are taken together, the longest first.
    """
    words, found, at = split_words(name), list[str](), 0
    while at < len(words):
        for size in range(min(_longest(), len(words) - at), 0, -1):
            several = " ".join(words[at : at + size])
            if meaning := dictionary().get(several) or (_of_stem(several) if size == 1 else None):
                found.append(meaning)
                at += size
                break
        else:
            word = words[at]
            at += 1
            if word not in _EMPTY and len(word) > 1 and not word.isdigit():
                found.append(word)
    if not found and words:  # a code, as P_13_1: nothing but itself is like it
        found.append("_".join(words))
    return tuple(found)


def _of_stem(word: str) -> str | None:
    return dictionary().get(word.removesuffix("s")) or _stems().get(_stem(word))


def _stem(word: str) -> str:
    """The word without its ending: of the plural in English, of the case in Polish and German."""
    return re.sub(r"(ies|e?s|ow|ach|ami|ego|ej|em|en|er|[aeiouy]+)$", "", word)


def path_words(path: str) -> str:
    """The last two steps of a field's path, without its filters."""
    steps = [step for step in re.split(r"[.\[\]$*\" ]+", _FILTER.sub("", path)) if step and not step.isdigit()]
    return " ".join(step for step in steps[-2:] if step not in ("results", "value"))
