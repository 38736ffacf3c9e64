"""What a target cannot hold is refused with the character named, or replaced as declared; never "?"."""

from __future__ import annotations

import random
import unicodedata

import pytest

from onefold.catalog.target import Characters, Length
from onefold.write_back.characters import fit
from onefold.write_back.formats import Unwritable

REPLACEMENTS = {"„": '"', "”": '"', "–": "-", "€": "EUR", "ß": "ss"}
ENCODINGS = ("cp1250", "iso8859-2", "ascii", "utf-8")
VALUES = 10_000
SEED = 20261130


def _random_text(chance: random.Random) -> str:
    """Of all planes, of Polish, of what is combined, of controls and of halves of surrogate pairs."""
    pools = (
        lambda: chr(chance.randrange(0x110000)),
        lambda: chance.choice("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ„”–€ßäöüřčšž "),
        lambda: chance.choice("aczsoenlAZ") + chance.choice("\u0301\u0307\u0328\u030c"),
        lambda: chr(chance.randrange(0x20, 0x7F)),
        lambda: chr(chance.randrange(0x20)),
    )
    weights = (1, 6, 4, 8, 0.2)
    return "".join(chance.choices(pools, weights)[0]() for _ in range(chance.randrange(1, 9)))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_of_10000_random_texts_each_is_held_as_declared_or_refused_with_its_character_named(encoding: str) -> None:
    characters = Characters(encoding=encoding, replacements=REPLACEMENTS if encoding != "utf-8" else {"€": "EUR"})
    chance = random.Random(SEED)
    held = refused = 0
    for _ in range(VALUES):
        text = _random_text(chance)
        declared = "".join(characters.replacements.get(sign, sign) for sign in unicodedata.normalize("NFC", text))
        try:
            written = fit(text, characters).text
        except Unwritable as error:
            refused += 1
            named = str(error).split()[0]
            culprit = chr(int(named.removeprefix("U+"), 16))
            assert culprit in declared
            kind = unicodedata.category(culprit)
            assert kind in ("Cc", "Cs") or culprit.encode(encoding, "replace") == b"?"
        else:
            held += 1
            assert written == declared
            assert written.encode(encoding).decode(encoding) == written
            assert written.count("?") == text.count("?")
    assert held > VALUES / 20 and refused > VALUES / 50


def test_text_is_composed_before_it_is_looked_up() -> None:
    decomposed = unicodedata.normalize("NFD", "Źółć")
    assert fit(decomposed, Characters(encoding="cp1250")).text.encode("cp1250") == b"\x8f\xf3\xb3\xe6"


def test_a_length_is_counted_in_the_declared_unit_and_nothing_is_cut() -> None:
    assert fit("Łódź", Characters(), Length(max=7, unit="bytes")).text == "Łódź"
    with pytest.raises(Unwritable, match="7 bytes, and the target holds 6"):
        fit("Łódź", Characters(), Length(max=6, unit="bytes"))
    assert fit("Łódź", Characters(encoding="cp1250"), Length(max=4, unit="bytes")).text == "Łódź"
    assert fit("Łódź", Characters(), Length(max=4)).text == "Łódź"
    with pytest.raises(Unwritable, match="6 characters, and the target holds 5"):
        fit("€uro", Characters(replacements={"€": "EUR"}), Length(max=5))


def test_what_was_replaced_is_told() -> None:
    replaced = fit("„Żółw” – S.A.", Characters(encoding="cp1250", replacements=REPLACEMENTS)).replaced
    assert replaced == tuple(f"{given} → {REPLACEMENTS[given]}" for given in "„”–")


def test_a_replacement_that_the_target_does_not_have_either_is_refused_when_the_file_is_read() -> None:
    with pytest.raises(ValueError, match="'€' does not exist in iso8859-2"):
        Characters(encoding="iso8859-2", replacements={"E": "€"})
