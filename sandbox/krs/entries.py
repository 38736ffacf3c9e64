"""The entries by which the court register was changed: their dates, courts and case numbers."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world import Company

Tree = dict[str, Any]  # JSON of a shape that is deep, irregular and only passed on

WARSAW = ZoneInfo("Europe/Warsaw")

COURT = "SĄD REJONOWY DLA M. ST. WARSZAWY W WARSZAWIE, XII WYDZIAŁ GOSPODARCZY KRAJOWEGO REJESTRU SĄDOWEGO"


def polish_date(day: date) -> str:
    """dd.MM.yyyy, as the register writes dates."""
    return f"{day:%d.%m.%Y}"


def serial(company: Company) -> int:
    """The register number as a number: the seed of everything here that only has to differ by company."""
    return int(company.krs or 0)


def entry_date(company: Company, number: int, last: int) -> str:
    """The date of an entry: they are spread evenly from the registration to the last change."""
    share = (number - 1) / (last - 1)
    return polish_date((company.created + (company.changed - company.created) * share).astimezone(WARSAW))


def last_entry(company: Company) -> date:
    return company.changed.astimezone(WARSAW).date()


def case_number(company: Company, number: int) -> str:
    return f"WA.XII NS-REJ.KRS/{serial(company) % 90_000 + number}/{last_entry(company):%y}/{number}"


def entry(company: Company, number: int, on: object, text: str) -> Tree:
    return {
        "opis": text,
        "numerWpisu": number,
        "dataWpisu": on,
        "sygnaturaAktSprawyDotyczacejWpisu": case_number(company, number),
        "oznaczenieSaduDokonujacegoWpisu": COURT,
    }
