"""Legal forms as the Polish registers write them: KRS's name in full and REGON's symbols."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LegalForm:
    """One legal form: KRS's formaPrawna and REGON's podstawowaFormaPrawna and szczegolnaFormaPrawna."""

    full: str
    basic: tuple[str, str]
    special: tuple[str, str]


_LEGAL_PERSON = ("1", "OSOBA PRAWNA")
_NO_PERSONALITY = ("2", "JEDNOSTKA ORGANIZACYJNA NIEMAJĄCA OSOBOWOŚCI PRAWNEJ")
_SOLE_TRADER = ("9", "OSOBA FIZYCZNA PROWADZĄCA DZIAŁALNOŚĆ GOSPODARCZĄ")

# Symbols as in BIR 1.1 answers (a spółka akcyjna reads "1" and "16" there).
LEGAL_FORMS: dict[str, LegalForm] = {
    "sp_zoo": LegalForm(
        "SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ",
        _LEGAL_PERSON,
        ("17", "SPÓŁKI Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ"),
    ),
    "sa": LegalForm("SPÓŁKA AKCYJNA", _LEGAL_PERSON, ("16", "SPÓŁKI AKCYJNE")),
    "spk": LegalForm("SPÓŁKA KOMANDYTOWA", _NO_PERSONALITY, ("20", "SPÓŁKI KOMANDYTOWE")),
    "spj": LegalForm("SPÓŁKA JAWNA", _NO_PERSONALITY, ("18", "SPÓŁKI JAWNE")),
    "fundacja": LegalForm("FUNDACJA", _LEGAL_PERSON, ("48", "FUNDACJE")),
    "stowarzyszenie": LegalForm("STOWARZYSZENIE", _LEGAL_PERSON, ("55", "STOWARZYSZENIA")),
    "jdg": LegalForm(
        "OSOBA FIZYCZNA PROWADZĄCA DZIAŁALNOŚĆ GOSPODARCZĄ",
        _SOLE_TRADER,
        ("99", "OSOBY FIZYCZNE PROWADZĄCE DZIAŁALNOŚĆ GOSPODARCZĄ"),
    ),
}
