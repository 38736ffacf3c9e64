"""What the court register says of one company: the six divisions of an extract."""

from random import Random

from sandbox.krs.entries import COURT, WARSAW, Tree, last_entry, polish_date, serial
from sandbox.world import Company, SourceRecord
from sandbox.world.legal_form import LEGAL_FORMS
from sandbox.world.records import BANKRUPT_SHARE
from sandbox.world.share import share

_RESTRUCTURING = "postepowanieRestrukturyzacyjneNaprawczePrzymusowaRestrukturyzacjaUporzadkowanaLikwidacja"
_KINDS = "PostepowaniaRestrukturyzacyjnegoNaprawczegoPrzymusowejRestrukturyzacjiUporzadkowanejLikwidacji"
_OPENED, _ENDED = f"otwarcie{_KINDS}", f"zakonczenie{_KINDS}"

_TRADES = (
    ("46", "47", "Z", "SPRZEDAŻ HURTOWA MEBLI, DYWANÓW I SPRZĘTU OŚWIETLENIOWEGO"),
    ("62", "10", "B", "POZOSTAŁA DZIAŁALNOŚĆ W ZAKRESIE PROGRAMOWANIA"),
    ("41", "00", "A", "ROBOTY BUDOWLANE ZWIĄZANE ZE WZNOSZENIEM BUDYNKÓW MIESZKALNYCH"),
    ("49", "41", "Z", "TRANSPORT DROGOWY TOWARÓW"),
)


def divisions(record: SourceRecord) -> Tree:
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
    address = present_address(company)
    if share("krs without town", company.krs) < 0.02:
        del address["miejscowosc"], address["kraj"]
    seat_and_address: Tree = {"siedziba": _seat(company), "adres": address}
    if company.email and serial(company) % 3 == 0:
        seat_and_address["adresPocztyElektronicznej"] = company.email.upper()
    person = _masked_person(company)
    division1: Tree = {
        "danePodmiotu": subject,
        "siedzibaIAdres": seat_and_address,
        "umowaStatut": {
            "informacjaOZawarciuZmianieUmowyStatutu": [
                {"zawarcieZmianaUmowyStatutu": f"{_founded(company)}, REP. A NR {serial(company) % 9000}"}
            ]
        },
        "pozostaleInformacje": {"czasNaJakiUtworzonyZostalPodmiot": "NIEOZNACZONY"},
    }
    if company.form in ("sp_zoo", "sa"):
        capital = 5_000 if company.form == "sp_zoo" else 100_000
        capital *= 1 + serial(company) % 20
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
    division, group, subgroup, trade = _TRADES[serial(company) % len(_TRADES)]
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
    on = polish_date(last_entry(company))
    if company.status == "liquidated":
        return {"likwidacja": [{"otwarcieLikwidacji": f"UCHWAŁA ZGROMADZENIA WSPÓLNIKÓW Z DNIA {on}"}]}
    if company.status == "suspended":
        return {"zawieszenieWznowienie": [{"dataZawieszenia": on}]}
    return _proceedings(company, on)


def _proceedings(company: Company, on: str) -> Tree:
    """What a few of the others have: a bankruptcy or a restructuring that is under way, or one that is over."""
    court = {"organWydajacy": COURT, "sygnatura": f"WA1M/GU/{serial(company) % 900}/2025", "data": on}
    bankruptcy: Tree = {"informacjaOOgloszeniuUpadlosci": court, "opisZakonczeniaProcesuUpadlosci": {}}
    place = share("krs proceedings", company.krs)
    if place < BANKRUPT_SHARE:
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
        identifiers |= {"statusNip": "UCHYLONY", "dataDecyzji": f"{last_entry(company):%Y-%m-%d}"}
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


def present_address(company: Company) -> Tree:
    return written_address(company.street, company.house_no, company.flat_no, company.postal_code, company.city)


def written_address(street: str, house_no: str, flat_no: str | None, postal_code: str, city: str) -> Tree:
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
    dice = Random(serial(company))
    return {
        "nazwisko": {"nazwiskoICzlon": dice.choice("BDGJKLMNPRSTWZ") + "*" * dice.randint(4, 11)},
        "imiona": {"imie": dice.choice("ABEGJKMPRTWZ") + "*" * dice.randint(2, 8)},
        "identyfikator": {"pesel": f"{dice.randint(4, 9)}**********"},
    }


def _founded(company: Company) -> str:
    return polish_date(company.created.astimezone(WARSAW).date())
