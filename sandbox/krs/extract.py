"""The extracts of the court register: what OdpisAktualny and OdpisPelny say of one company.

Shapes follow real public extracts. The full extract holds the same facts as the current one, every value in
a list of {value, nrWpisuWprow[, nrWpisuWykr]}: the numbers of the entries that brought it in and struck it
out, as strings, while numerWpisu in the heading is an integer.
"""

from datetime import date, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world import Company, SourceRecord
from sandbox.world.legal_form import LEGAL_FORMS
from sandbox.world.share import share

WARSAW = ZoneInfo("Europe/Warsaw")

Tree = dict[str, Any]  # JSON of a shape that is deep, irregular and only passed on

_COURT = "SĄD REJONOWY DLA M. ST. WARSZAWY W WARSZAWIE, XII WYDZIAŁ GOSPODARCZY KRAJOWEGO REJESTRU SĄDOWEGO"
# In the full extract these objects carry their entry numbers among their own fields, …
_INLINE = {"siedziba", "adres", "wysokoscKapitaluZakladowego"}
# … these one level above, beside the object, …
_NESTED = {"identyfikatory", "nazwisko", "imiona", "identyfikator"}
# … these lists hold {"pozycja": [...]}, and this one value sits under another name.
_POSITIONS = {"informacjaOZawarciuZmianieUmowyStatutu", "przedmiotPrzewazajacejDzialalnosci"}
_RENAMED = {"czasNaJakiUtworzonyZostalPodmiot": "informacjaOCzasieNaJakiZostalUtworzonyPodmiot"}

_RESTRUCTURING = "postepowanieRestrukturyzacyjneNaprawczePrzymusowaRestrukturyzacjaUporzadkowanaLikwidacja"
_KINDS = "PostepowaniaRestrukturyzacyjnegoNaprawczegoPrzymusowejRestrukturyzacjiUporzadkowanejLikwidacji"
_OPENED, _ENDED = f"otwarcie{_KINDS}", f"zakonczenie{_KINDS}"

_TRADES = (
    ("46", "47", "Z", "SPRZEDAŻ HURTOWA MEBLI, DYWANÓW I SPRZĘTU OŚWIETLENIOWEGO"),
    ("62", "10", "B", "POZOSTAŁA DZIAŁALNOŚĆ W ZAKRESIE PROGRAMOWANIA"),
    ("41", "00", "A", "ROBOTY BUDOWLANE ZWIĄZANE ZE WZNOSZENIEM BUDYNKÓW MIESZKALNYCH"),
    ("49", "41", "Z", "TRANSPORT DROGOWY TOWARÓW"),
)


def polish_date(day: date) -> str:
    """dd.MM.yyyy, as the register writes dates."""
    return f"{day:%d.%m.%Y}"


def current_extract(record: SourceRecord, now: datetime) -> Tree:
    """The body of OdpisAktualny, asked for at `now` (UTC); a record broken on purpose shows it."""
    company = record.company
    heading: Tree = {
        **_heading(company, now),
        "dataRejestracjiWKRS": record.fields["registered"],
        "numerOstatniegoWpisu": company.revision,
        "dataOstatniegoWpisu": polish_date(_last_entry(company)),
        "sygnaturaAktSprawyDotyczacejOstatniegoWpisu": _case(company, company.revision),
        "oznaczenieSaduDokonujacegoOstatniegoWpisu": _COURT,
        "stanPozycji": 1,
    }
    return {"odpis": {"rodzaj": "Aktualny", "naglowekA": heading, "dane": _facts(record)}}


def full_extract(record: SourceRecord, now: datetime) -> Tree:
    """The body of OdpisPelny, which a company that was struck off still has (stanPozycji 2).

    The last entry that changed anything is taken to have brought the present address, after the former.
    """
    company = record.company
    last = max(company.revision, 2) if company.struck_off else company.revision
    moved = last - 1 if company.struck_off else last
    entries = [_entry(company, 1, record.fields["registered"], "REJESTRACJA W KRAJOWYM REJESTRZE SĄDOWYM")]
    for number in range(2, last + 1):
        on = _entered(company, number, last)
        entries.append(_entry(company, number, on, "ZMIANA DANYCH W REJESTRZE"))
    heading: Tree = {**_heading(company, now), "wpis": entries, "stanPozycji": 1}
    numbers = {"nrWpisuWprow": "1"}
    if company.struck_off:
        entries[-1]["opis"] = "WYKREŚLENIE Z KRAJOWEGO REJESTRU SĄDOWEGO"
        heading["stanPozycji"] = 2
        numbers["nrWpisuWykr"] = str(last)
    facts = _versioned(_facts(record), numbers)
    if moved > 1:
        former = {**_former_address(company), "nrWpisuWprow": "1", "nrWpisuWykr": str(moved)}
        present = {**_address(company), **numbers, "nrWpisuWprow": str(moved)}
        facts["dzial1"]["siedzibaIAdres"]["adres"] = [former, present]
    return {"odpis": {"rodzaj": "Pełny", "naglowekP": heading, "dane": facts}}


def _heading(company: Company, now: datetime) -> Tree:
    # stanZDnia stays at the last entry: as in the real register, it lags behind the time of the question.
    return {
        "rejestr": f"Rej{company.krs_register}",
        "numerKRS": company.krs or "",
        "dataCzasOdpisu": f"{now.astimezone(WARSAW):%d.%m.%Y %H:%M:%S}",
        "stanZDnia": polish_date(_last_entry(company)),
    }


def _facts(record: SourceRecord) -> Tree:
    """The six divisions; a record without a name lacks nazwa altogether."""
    company = record.company
    form = LEGAL_FORMS[company.form]
    subject: Tree = {
        "formaPrawna": form.full,
        "identyfikatory": _identifiers(record),
        "nazwa": str(record.fields["name"]).upper(),
        "daneOWczesniejszejRejestracji": {},
        "czyProwadziDzialalnoscZInnymiPodmiotami": False,
        "czyPosiadaStatusOPP": False,
    }
    if not subject["nazwa"]:
        del subject["nazwa"]
    address = _address(company)
    if share("krs without town", company.krs) < 0.02:
        del address["miejscowosc"], address["kraj"]
    seat_and_address: Tree = {"siedziba": _seat(company), "adres": address}
    if company.email and _serial(company) % 3 == 0:
        seat_and_address["adresPocztyElektronicznej"] = company.email.upper()
    person = _masked_person(company)
    division1: Tree = {
        "danePodmiotu": subject,
        "siedzibaIAdres": seat_and_address,
        "umowaStatut": {
            "informacjaOZawarciuZmianieUmowyStatutu": [
                {"zawarcieZmianaUmowyStatutu": f"{_founded(company)}, REP. A NR {_serial(company) % 9000}"}
            ]
        },
        "pozostaleInformacje": {"czasNaJakiUtworzonyZostalPodmiot": "NIEOZNACZONY"},
    }
    if company.form in ("sp_zoo", "sa"):
        capital = 5_000 if company.form == "sp_zoo" else 100_000
        capital *= 1 + _serial(company) % 20
        division1["kapital"] = {
            "wysokoscKapitaluZakladowego": {"wartosc": f"{capital},00", "waluta": "PLN"},
            "wniesioneAporty": {},
        }
    if company.form == "sa":
        number = str(capital // 10)
        division1["kapital"] |= {
            "lacznaLiczbaAkcjiUdzialow": number,
            "wartoscJednejAkcji": {"wartosc": "10,00", "waluta": "PLN"},
            "czescKapitaluWplaconegoPokrytego": {"wartosc": f"{capital},00", "waluta": "PLN"},
        }
        division1["emisjeAkcji"] = [{"nazwaSeriiAkcji": "AKCJE SERII A", "liczbaAkcjiWSerii": number}]
    if company.form == "sp_zoo":
        division1["pozostaleInformacje"]["informacjaOLiczbieUdzialow"] = "WIĘKSZĄ LICZBĘ UDZIAŁÓW"
        held: Tree = {"posiadaneUdzialy": "100 UDZIAŁÓW", "czyPosiadaCaloscUdzialow": True}
        division1["wspolnicySpzoo"] = [{**person, **held}]
        if share("krs foreign partner", company.krs) < 0.05:
            partner: Tree = {"nazwa": "BEISPIEL HOLDING GMBH", "posiadaneUdzialy": "60 UDZIAŁÓW"}
            part: Tree = {"posiadaneUdzialy": "40 UDZIAŁÓW", "czyPosiadaCaloscUdzialow": False}
            division1["wspolnicySpzoo"] = [{**person, **part}, {**partner, "czyPosiadaCaloscUdzialow": False}]
    board: Tree = {
        "nazwaOrganu": "ZARZĄD",
        "sposobReprezentacji": "CZŁONEK ZARZĄDU SAMODZIELNIE.",
        "sklad": [{**person, "funkcjaWOrganie": "PREZES ZARZĄDU", "czyZawieszona": False}],
    }
    division, group, subgroup, trade = _TRADES[_serial(company) % len(_TRADES)]
    business: Tree = {"opis": trade, "kodDzial": division, "kodKlasa": group, "kodPodklasa": subgroup}
    return {
        "dzial1": division1,
        "dzial2": {"reprezentacja": board},
        "dzial3": {
            "przedmiotDzialalnosci": {"przedmiotPrzewazajacejDzialalnosci": [business]},
            "informacjaODniuKonczacymRokObrotowy": {
                "dzienKonczacyPierwszyRokObrotowy": f"31.12.{company.created.year}"
            },
        },
        "dzial4": {},
        "dzial5": {},
        "dzial6": _division6(company),
    }


def _division6(company: Company) -> Tree:
    on = polish_date(_last_entry(company))
    if company.status == "liquidated":
        return {"likwidacja": [{"otwarcieLikwidacji": f"UCHWAŁA ZGROMADZENIA WSPÓLNIKÓW Z DNIA {on}"}]}
    if company.status == "suspended":
        return {"zawieszenieWznowienie": [{"dataZawieszenia": on}]}
    return _proceedings(company, on)


def _proceedings(company: Company, on: str) -> Tree:
    """What a few of the others have: a bankruptcy or a restructuring that is under way, or one that is over."""
    court = {"organWydajacy": _COURT, "sygnatura": f"WA1M/GU/{_serial(company) % 900}/2025", "data": on}
    bankruptcy: Tree = {"informacjaOOgloszeniuUpadlosci": court, "opisZakonczeniaProcesuUpadlosci": {}}
    place = share("krs proceedings", company.krs)
    if place < 0.015:
        return {"postepowanieUpadlosciowe": [bankruptcy]}
    if place < 0.02:
        over = {"opisZakonczeniaProcesuUpadlosci": {"dataZakonczeniaPostepowania": on}}
        return {"postepowanieUpadlosciowe": [bankruptcy | over]}
    if place < 0.03:
        opened = {"sygnaturaSprawy": court["sygnatura"], "rodzajPostepowania": "POSTĘPOWANIE RESTRUKTURYZACYJNE"}
        return {_RESTRUCTURING: [{_OPENED: opened, _ENDED: {}}]}
    if place < 0.035:
        return {
            "likwidacja": [{"otwarcieLikwidacji": f"UCHWAŁA Z DNIA {on}", "zakonczenieLikwidacji": f"UCHYLONA {on}"}]
        }
    return {}


def _identifiers(record: SourceRecord) -> Tree:
    company = record.company
    identifiers: Tree = {"regon": f"{company.regon}00000", "nip": record.fields["nip"]}
    if company.status == "liquidated":
        # The one date of an extract in ISO form.
        identifiers |= {"statusNip": "UCHYLONY", "dataDecyzji": f"{_last_entry(company):%Y-%m-%d}"}
    return identifiers


def _seat(company: Company) -> Tree:
    city = company.city.upper()
    return {
        "kraj": "POLSKA",
        "wojewodztwo": company.voivodeship.upper(),
        "powiat": city,
        "gmina": city,
        "miejscowosc": city,
    }


def _address(company: Company) -> Tree:
    return _written(company.street, company.house_no, company.flat_no, company.postal_code, company.city)


def _former_address(company: Company) -> Tree:
    return _written(
        company.former_street,
        company.former_house_no,
        company.former_flat_no,
        company.former_postal_code,
        company.former_city,
    )


def _written(street: str, house_no: str, flat_no: str | None, postal_code: str, city: str) -> Tree:
    address: Tree = {
        "ulica": f"UL. {street.upper()}",
        "nrDomu": house_no.upper(),
        "miejscowosc": city.upper(),
        "kodPocztowy": postal_code,
        "poczta": city.upper(),
        "kraj": "POLSKA",
    }
    if flat_no:
        address["nrLokalu"] = flat_no.upper()
    return address


def _masked_person(company: Company) -> Tree:
    """A person as the public interface shows people: first letter (first digit), then asterisks."""
    dice = Random(_serial(company))
    return {
        "nazwisko": {"nazwiskoICzlon": dice.choice("BDGJKLMNPRSTWZ") + "*" * dice.randint(4, 11)},
        "imiona": {"imie": dice.choice("ABEGJKMPRTWZ") + "*" * dice.randint(2, 8)},
        "identyfikator": {"pesel": f"{dice.randint(4, 9)}**********"},
    }


def _serial(company: Company) -> int:
    """The register number as a number: the seed of everything here that only has to differ by company."""
    return int(company.krs or 0)


def _founded(company: Company) -> str:
    return polish_date(company.created.astimezone(WARSAW).date())


def _entered(company: Company, number: int, last: int) -> str:
    """The date of an entry: they are spread evenly from the registration to the last change."""
    share = (number - 1) / (last - 1)
    return polish_date((company.created + (company.changed - company.created) * share).astimezone(WARSAW))


def _last_entry(company: Company) -> date:
    return company.changed.astimezone(WARSAW).date()


def _case(company: Company, number: int) -> str:
    return f"WA.XII NS-REJ.KRS/{_serial(company) % 90_000 + number}/{_last_entry(company):%y}/{number}"


def _entry(company: Company, number: int, on: object, text: str) -> Tree:
    return {
        "opis": text,
        "numerWpisu": number,
        "dataWpisu": on,
        "sygnaturaAktSprawyDotyczacejWpisu": _case(company, number),
        "oznaczenieSaduDokonujacegoWpisu": _COURT,
    }


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
