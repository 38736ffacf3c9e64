"""The values by which a person is found: e-mail address, PESEL, phone number, full name; and how to find them in text.

Each has a normal form, so that "+48 600 100 200" and "600-100-200" are one number. In a text they are found whatever
their case, accents and separators. A PESEL counts only with the right check digit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from onefold.errors import Fatal

Kind = Literal["email", "pesel", "phone", "name"]
ANYWHERE: frozenset[Kind] = frozenset({"email", "pesel"})
"""Kinds that mean one person wherever they stand; the others are looked for in personal fields alone."""
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_PESEL = re.compile(r"(?<!\d)\d{11}(?!\d)")
_PHONE = re.compile(r"(?<![\w.])(?:\+|00)?\d(?:[\s().\-/]{0,3}\d){8,14}(?![\w])")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_SEPARATORS = r"[\s().\-/]{0,3}"
_ESCAPED = r"\\[bfnrt]"
"""A line break or the like, as it stands in the text of JSON."""
_MOST_WORDS = 4
_VARIANTS = {
    "a": "aàáâãäåāăą", "c": "cçćč", "d": "dďđð", "e": "eèéêëēęě", "g": "gğģ", "i": "iìíîïīı", "k": "kķ", "l": "lĺļľł",
    "n": "nñńņň", "o": "oòóôõöøőō", "r": "rŕř", "s": "sśşšș", "t": "tţťț", "u": "uùúûüūůű", "y": "yýÿ", "z": "zźżž",
}  # fmt: skip
_NO_DECOMPOSITION = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ı": "i", "ð": "d"})


@dataclass(frozen=True, slots=True)
class PersonalValue:
    """A value in its normal form; its text shows in no repr."""

    kind: Kind
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Span:
    """Where in a text a value stands."""

    start: int
    end: int


class Finder(Protocol):
    """Finds the values of one person, or of all who were erased, in a text."""

    def find(self, text: str, *, personal: bool) -> Sequence[Span]:
        """Where they stand; those that are no proof of a person only where the field is `personal`."""
        ...


def fold(text: str) -> str:
    """The text in lower case without accents."""
    lower = text.lower().translate(_NO_DECOMPOSITION)
    return "".join(c for c in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(c))


def email(text: str) -> PersonalValue:
    """An e-mail address. Raises Fatal, without repeating it, for a text that is none."""
    normal = text.strip().lower()
    if not _EMAIL.fullmatch(normal):
        raise Fatal("What was given as an e-mail address is none. Give one address, as it stands in the systems.")
    return PersonalValue("email", normal)


def pesel(text: str) -> PersonalValue:
    """A PESEL. Raises Fatal, without repeating it, for a text that is none."""
    if not is_pesel(text.strip()):
        raise Fatal("What was given as a PESEL is none: it has 11 digits, of which the last checks the others.")
    return PersonalValue("pesel", text.strip())


def is_pesel(text: str) -> bool:
    """Whether the text has eleven digits of which the last checks the others."""
    if not re.fullmatch(r"[0-9]{11}", text):
        return False
    weighted = sum(int(digit) * weight for digit, weight in zip(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), strict=True))
    return weighted % 10 == 0


def full_name(words: Iterable[str]) -> PersonalValue | None:
    """A name of two words or more; None for less, which would name too many."""
    found = [fold(word) for text in words for word in _WORD.findall(text)]
    return PersonalValue("name", " ".join(found[:_MOST_WORDS])) if len(found) > 1 else None


def values_in(text: str, *, personal: bool) -> Iterator[tuple[PersonalValue, Span]]:
    """Everything in the text that may be a value of some person; names and numbers only where it is `personal`."""
    if "@" in text:
        for found in _EMAIL.finditer(text):
            yield PersonalValue("email", found[0].lower()), Span(*found.span())
    for found in _PESEL.finditer(text):
        if is_pesel(found[0]):
            yield PersonalValue("pesel", found[0]), Span(*found.span())
    if personal:
        for found in _PHONE.finditer(text):
            digits = re.sub(r"\D", "", found[0])
            if not is_pesel(digits):
                yield PersonalValue("phone", digits[-9:]), Span(*found.span())
        yield from _names_in(text)


def _names_in(text: str) -> Iterator[tuple[PersonalValue, Span]]:
    words = list(_WORD.finditer(text))
    for count in range(2, _MOST_WORDS + 1):
        for first in range(len(words) - count + 1):
            chosen = words[first : first + count]
            value = PersonalValue("name", " ".join(fold(word[0]) for word in chosen))
            yield value, Span(chosen[0].start(), chosen[-1].end())


class KnownValues:
    """Finds values that are known."""

    def __init__(self, values: Iterable[PersonalValue]) -> None:
        self.values = frozenset(values)
        self._patterns = [(value.kind, re.compile(_bounded(value))) for value in sorted(self.values, key=_order)]

    def find(self, text: str, *, personal: bool) -> Sequence[Span]:
        return [
            Span(*found.span())
            for kind, pattern in self._patterns
            if personal or kind in ANYWHERE
            for found in pattern.finditer(text)
        ]

    @property
    def sql_pattern(self) -> str:
        """For PostgreSQL's `~`: true of every text in which find() finds something, and of a few more."""
        gap, between = (
            rf"(?:[{spaces}\u00a0]|{_ESCAPED}){{{counts}}}"
            for spaces, counts in ((r"\s().\-/", "0,3"), (r"\s,", "1,3"))
        )
        return "|".join(f"(?:{_spelling_of(value, gap, between)})" for value in sorted(self.values, key=_order))


def erased(text: str, spans: Sequence[Span]) -> str | None:
    """The text without what stands there; None when nothing else is left."""
    left, position = [], 0
    for span in sorted(spans, key=lambda each: each.start):
        if span.start >= position:
            left.append(text[position : span.start])
        position = max(position, span.end)
    left.append(text[position:])
    if not re.search(r"\w", "".join(left)):
        return None
    return "[erased]".join(left)


def _order(value: PersonalValue) -> tuple[str, str]:
    return value.kind, value.text


def _spelling_of(value: PersonalValue, gap: str = _SEPARATORS, between_words: str = r"[\s,]{1,3}") -> str:
    """A regular expression, for Python and PostgreSQL alike, that finds every spelling of the value (and a few more).

    `gap` is what may stand between the digits of a phone number, `between_words` what between the words of a name.
    """
    match value.kind:
        case "phone":
            return gap.join(value.text)
        case "name":
            words = [_spellings(word) for word in value.text.split()]
            orders = {tuple(words), (*words[1:], words[0])}
            return "|".join(sorted(between_words.join(order) for order in orders))
        case _:
            return _spellings(value.text)


def _bounded(value: PersonalValue) -> str:
    match value.kind:
        case "email":
            return rf"(?<![\w.+-])(?:{_spelling_of(value)})(?![\w-])"
        case "phone":
            return rf"(?<!\d)(?:(?:\+|00)\d{{1,3}}{_SEPARATORS})?0?(?:{_spelling_of(value)})(?!\d)"
        case "pesel":
            return rf"(?<!\d)(?:{_spelling_of(value)})(?!\d)"
        case "name":
            return rf"(?<!\w)(?:{_spelling_of(value)})(?!\w)"


def _spellings(text: str) -> str:
    """Each letter in both cases and with any accent: what PostgreSQL takes for a capital depends on its locale."""
    return "".join(_spelling(letter) for letter in text)


def _spelling(letter: str) -> str:
    variants = _VARIANTS.get(letter, letter)
    if letter.isalpha():
        return "[" + "".join(dict.fromkeys(variants + variants.upper())) + "]"
    return letter if letter.isdigit() else f"\\{letter}"
