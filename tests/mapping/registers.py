"""Synthetic answers of the registers, of the shapes that the real ones have: no company and no person is real."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

Json = dict[str, object]

PERSON: Json = {
    "nazwisko": {"nazwiskoICzlon": "J****"},
    "imiona": {"imie": "A***", "imieDrugie": "T****"},
    "identyfikator": {"pesel": "5**********"},
}
FOREIGN_PARTNER: Json = {
    "nazwa": "BEISPIEL HOLDING GMBH",
    "czyPosiadaCaloscUdzialow": False,
    "posiadaneUdzialy": "60 UDZIAŁÓW O ŁĄCZNEJ WARTOŚCI 3.000,00 ZŁ",
}


def krs_extract(name: str = "PRZYKŁAD", *, state: object = 1, division6: object = None, **more: object) -> Json:
    """A current extract. `more` replaces what is under dzial1, and `identifiers` what is added to the identifiers."""
    identifiers = {"regon": "38290362500000", "nip": "5272889007", **more.pop("identifiers", {})}
    division1: Json = {
        "danePodmiotu": {
            "formaPrawna": "SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ",
            "identyfikatory": identifiers,
            "nazwa": f"{name} SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ",
            "daneOWczesniejszejRejestracji": {},
        },
        "siedzibaIAdres": {"adres": {"ulica": "UL. POLNA", "nrDomu": "1", "kodPocztowy": "00-950"}},
        "wspolnicySpzoo": [{**deepcopy(PERSON), "czyPosiadaCaloscUdzialow": False}, FOREIGN_PARTNER],
        "kapital": {"wysokoscKapitaluZakladowego": {"wartosc": "5000,00", "waluta": "PLN"}, "wniesioneAporty": {}},
        **more,
    }
    heading: Json = {
        "rejestr": "RejP",
        "numerKRS": "0000779880",
        "dataCzasOdpisu": "22.04.2026 21:30:17",
        "stanZDnia": "03.12.2025",
        "dataRejestracjiWKRS": "03.04.2019",
        "numerOstatniegoWpisu": 3,
        "dataOstatniegoWpisu": "18.11.2024",
        "stanPozycji": state,
    }
    board: Json = {
        "nazwaOrganu": "ZARZĄD",
        "sposobReprezentacji": "CZŁONEK ZARZĄDU SAMODZIELNIE.",
        "sklad": [{**deepcopy(PERSON), "funkcjaWOrganie": "PREZES ZARZĄDU", "czyZawieszona": False}],
    }
    divisions: Mapping[str, object] = {
        "dzial1": division1, "dzial2": {"reprezentacja": board}, "dzial3": {}, "dzial4": {}, "dzial5": {},
        "dzial6": {} if division6 is None else division6,
    }  # fmt: skip
    return {"odpis": {"rodzaj": "Aktualny", "naglowekA": heading, "dane": divisions}}
