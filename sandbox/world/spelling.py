"""How people spell the same thing differently: legal forms, letter case, ASCII, numbers, telephones."""

import random
import unicodedata

LIMITED = "Spółka z ograniczoną odpowiedzialnością"
LIMITED_PARTNERSHIP = f"{LIMITED} Spółka komandytowa"

# The written-out legal form at the end of a name, and how people abbreviate it. Longest first.
LEGAL_FORMS: dict[str, tuple[str, ...]] = {
    LIMITED_PARTNERSHIP: ("Sp. z o.o. Sp.k.", "sp. z o.o. sp. k.", "Sp. z o. o. Sp. K.", "SP. Z O.O. SP.K."),
    LIMITED: ("Sp. z o.o.", "sp. z o.o.", "SP. ZO.O.", "spółka z o.o.", "Sp.z o.o.", "SP. Z O.O."),
    "Spółka komandytowa": ("sp.k.", "Sp. k.", "Sp.K."),
    "Spółka akcyjna": ("S.A.", "SA", "s.a."),
    "Spółka jawna": ("sp.j.", "Sp. j.", "SP.J."),
}

_ASCII = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "—": "-", "–": "-", "„": '"', "”": '"'})


def split_legal_form(name: str) -> tuple[str, str]:
    """The name without its written-out legal form, and that form ("" when it has none)."""
    for form in LEGAL_FORMS:
        if name.endswith(f" {form}"):
            return name.removesuffix(f" {form}"), form
    return name, ""


def abbreviated(name: str, pick: float) -> str:
    """The name with its legal form abbreviated in one of the usual ways; `pick` in [0, 1) chooses which."""
    stem, form = split_legal_form(name)
    if not form:
        return name
    ways = LEGAL_FORMS[form]
    return f"{stem} {ways[int(pick * len(ways))]}"


def to_ascii(text: str) -> str:
    """The text as a system without national letters holds it: the nearest plain letters."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_ASCII))
    return decomposed.encode("ascii", "ignore").decode("ascii")


def slug(text: str) -> str:
    """Lower-case ASCII letters and digits only, for e-mail domains."""
    return "".join(letter for letter in to_ascii(text).lower() if letter.isalnum())


def mistyped(text: str, rng: random.Random) -> str:
    """The text with two neighbouring letters swapped, as a hurried typist would."""
    place = rng.randrange(1, max(2, min(len(text), 12) - 1))
    return text[:place] + text[place : place + 2][::-1] + text[place + 2 :]


def telephone(e164: str, pick: float) -> str:
    """A Polish E.164 number in one of the ways people write it, as `pick` in [0, 1) chooses; a foreign one as it is."""
    if not e164.startswith("+48"):
        return e164
    digits = e164.removeprefix("+48")
    spaced = f"{digits[:3]} {digits[3:6]} {digits[6:]}"
    landline = f"({digits[:2]}) {digits[2:5]}-{digits[5:7]}-{digits[7:]}"
    ways = (e164, f"+48 {spaced}", spaced, digits, landline, f"0048{digits}", f"+48 {landline}")
    return ways[int(pick * len(ways))]


def street_line(street: str, house_no: str, flat_no: str | None, pick: float, country: str = "PL") -> str:
    """Street, house and flat on one line; `pick` in [0, 1) chooses the way, where there are several."""
    number = f"{house_no}/{flat_no}" if flat_no else house_no
    if country != "PL":
        return f"{street} {number}"
    ways = (f"ul. {street} {number}", f"ul. {street} {number}", f"{street} {number}", f"Ul.{street} {number}")
    if flat_no and pick > 0.85:
        return f"ul. {street} {house_no} m. {flat_no}"
    return ways[int(pick * len(ways))]
