"""The extracts of the court register: what OdpisAktualny and OdpisPelny say of one company.

Shapes follow real public extracts. The full extract holds the same facts as the current one, every value in
a list of {value, nrWpisuWprow[, nrWpisuWykr]}: the numbers of the entries that brought it in and struck it
out, as strings, while numerWpisu in the heading is an integer.
"""

from datetime import datetime

from sandbox.krs.divisions import divisions, present_address, written_address
from sandbox.krs.entries import COURT, WARSAW, Tree, case_number, entry, entry_date, last_entry, polish_date
from sandbox.world import Company, SourceRecord

# In the full extract these objects carry their entry numbers among their own fields, …
_INLINE = {"siedziba", "adres", "wysokoscKapitaluZakladowego"}
# … these one level above, beside the object, …
_NESTED = {"identyfikatory", "nazwisko", "imiona", "identyfikator"}
# … these lists hold {"pozycja": [...]}, and this one value sits under another name.
_POSITIONS = {"informacjaOZawarciuZmianieUmowyStatutu", "przedmiotPrzewazajacejDzialalnosci"}
_RENAMED = {"czasNaJakiUtworzonyZostalPodmiot": "informacjaOCzasieNaJakiZostalUtworzonyPodmiot"}


def current_extract(record: SourceRecord, now: datetime) -> Tree:
    """The body of OdpisAktualny, asked for at `now` (UTC); a record broken on purpose shows it."""
    company = record.company
    heading: Tree = {
        **_heading(company, now),
        "dataRejestracjiWKRS": record.fields["registered"],
        "numerOstatniegoWpisu": company.revision,
        "dataOstatniegoWpisu": polish_date(last_entry(company)),
        "sygnaturaAktSprawyDotyczacejOstatniegoWpisu": case_number(company, company.revision),
        "oznaczenieSaduDokonujacegoOstatniegoWpisu": COURT,
        "stanPozycji": 1,
    }
    return {"odpis": {"rodzaj": "Aktualny", "naglowekA": heading, "dane": divisions(record)}}


def full_extract(record: SourceRecord, now: datetime) -> Tree:
    """The body of OdpisPelny, which a company that was struck off still has (stanPozycji 2).

    The last entry that changed anything is taken to have brought the present address, after the former.
    """
    company = record.company
    last = max(company.revision, 2) if company.struck_off else company.revision
    moved = last - 1 if company.struck_off else last
    entries = [entry(company, 1, record.fields["registered"], "REJESTRACJA W KRAJOWYM REJESTRZE SĄDOWYM")]
    for number in range(2, last + 1):
        on = entry_date(company, number, last)
        entries.append(entry(company, number, on, "ZMIANA DANYCH W REJESTRZE"))
    heading: Tree = {**_heading(company, now), "wpis": entries, "stanPozycji": 1}
    numbers = {"nrWpisuWprow": "1"}
    if company.struck_off:
        entries[-1]["opis"] = "WYKREŚLENIE Z KRAJOWEGO REJESTRU SĄDOWEGO"
        heading["stanPozycji"] = 2
        numbers["nrWpisuWykr"] = str(last)
    facts = _versioned(divisions(record), numbers)
    if moved > 1:
        former = {**_former_address(company), "nrWpisuWprow": "1", "nrWpisuWykr": str(moved)}
        present = {**present_address(company), **numbers, "nrWpisuWprow": str(moved)}
        facts["dzial1"]["siedzibaIAdres"]["adres"] = [former, present]
    return {"odpis": {"rodzaj": "Pełny", "naglowekP": heading, "dane": facts}}


def _heading(company: Company, now: datetime) -> Tree:
    # stanZDnia stays at the last entry: as in the real register, it lags behind the time of the question.
    return {
        "rejestr": f"Rej{company.krs_register}",
        "numerKRS": company.krs or "",
        "dataCzasOdpisu": f"{now.astimezone(WARSAW):%d.%m.%Y %H:%M:%S}",
        "stanZDnia": polish_date(last_entry(company)),
    }


def _former_address(company: Company) -> Tree:
    return written_address(
        company.former_street,
        company.former_house_no,
        company.former_flat_no,
        company.former_postal_code,
        company.former_city,
    )


def _versioned(facts: Tree, numbers: Tree) -> Tree:
    """The tree of the current extract in the shape of the full one, every value under these entry numbers."""
    full: Tree = {}
    for key, value in facts.items():
        if key in _INLINE and isinstance(value, dict):
            full[key] = [{**value, **numbers}]
        elif key in _NESTED and isinstance(value, dict):
            full[key] = [{key: value, **numbers}]
        elif key in _POSITIONS and isinstance(value, list):
            full[key] = [{"pozycja": [{**item, **numbers}]} for item in value]
        elif key == "reprezentacja" and isinstance(value, dict):
            full[key] = [_versioned(value, numbers)]
        elif isinstance(value, dict):
            full[key] = _versioned(value, numbers)
        elif isinstance(value, list):
            full[key] = [_versioned(item, numbers) for item in value if isinstance(item, dict)]
        else:
            full[_RENAMED.get(key, key)] = [{key: value, **numbers}]
    return full
