"""What REGON says of a company: search rows, full reports and errors, as the XML inside the SOAP string.

Field names and their order are those of GUS's BIR 1.1 result tables. The search writes the postal code with
a dash, the reports without, as the real service does.
"""

from collections.abc import Iterable
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from sandbox.world import Company, SourceRecord
from sandbox.world.legal_form import LEGAL_FORMS
from sandbox.world.share import share

WARSAW = ZoneInfo("Europe/Warsaw")

Row = dict[str, str]

_VOIVODESHIP_SYMBOLS = {
    "dolnośląskie": "02",
    "kujawsko-pomorskie": "04",
    "lubelskie": "06",
    "lubuskie": "08",
    "łódzkie": "10",
    "małopolskie": "12",
    "mazowieckie": "14",
    "opolskie": "16",
    "podkarpackie": "18",
    "podlaskie": "20",
    "pomorskie": "22",
    "śląskie": "24",
    "świętokrzyskie": "26",
    "warmińsko-mazurskie": "28",
    "wielkopolskie": "30",
    "zachodniopomorskie": "32",
}
_COURT = "SĄD REJONOWY DLA M.ST.WARSZAWY W WARSZAWIE,XII WYDZIAŁ GOSPODARCZY KRAJOWEGO REJESTRU SĄDOWEGO"
_REGISTERS = {
    "P": "REJESTR PRZEDSIĘBIORCÓW",
    "S": "REJESTR STOWARZYSZEŃ, INNYCH ORGANIZACJI SPOŁECZNYCH I ZAWODOWYCH, FUNDACJI ORAZ SPZOZ",
}
_MESSAGES = {
    "2": (
        "Do metody DaneSzukaj przekazano zbyt wiele identyfikatorów.",
        "Too many identifiers have been passed to the DaneSzukaj method.",
    ),
    "4": (
        "Nie znaleziono podmiotu dla podanych kryteriów wyszukiwania.",
        "No data found for the specified search criteria.",
    ),
    "5": ("Nieprawidłowa lub pusta nazwa raportu.", "Invalid or empty report name."),
    "101": ("Nieprawidłowa data raportu.", "Invalid report date."),
    "102": ("Wprowadzono zbyt wczesną datę", "Too early a date has been entered"),
    "103": ("Wprowadzono datę przyszłą", "A future date has been entered"),
    "105": ("Nieprawidłowa lub pusta nazwa raportu.", "Invalid or empty report name."),
}


def inner_xml(rows: Iterable[Row]) -> str:
    """<root> with one <dane> a row, lines ended by CRLF; an empty value is an empty element."""
    lines = ["<root>"]
    for row in rows:
        lines.append("  <dane>")
        lines += [f"    <{name}>{escape(text)}</{name}>" if text else f"    <{name} />" for name, text in row.items()]
        lines.append("  </dane>")
    return "\r\n".join([*lines, "</root>"])


def error(code: str, **echoed: str) -> Row:
    """The row that stands for an error, followed by what was asked.

    4, 5, 103 and 105 are known from GUS's clients; the numbers 101 and 102 are ours.
    """
    polish, english = _MESSAGES[code]
    return {"ErrorCode": code, "ErrorMessagePl": polish, "ErrorMessageEn": english, **echoed}


def search_row(record: SourceRecord) -> Row:
    """One row of DaneSzukajPodmioty; a record broken on purpose shows it."""
    company = record.company
    row = {
        "Regon": _shown(record, "regon"),
        "Nip": company.nip,
        "StatusNip": _nip_status(company),
        "Nazwa": _shown(record, "name").upper(),
        "Wojewodztwo": company.voivodeship.upper(),
        "Powiat": f"m. {company.city}",
        "Gmina": company.city,
        "Miejscowosc": company.city,
        "KodPocztowy": _shown(record, "postal_code"),
        "Ulica": f"ul. {company.street}",
        "NrNieruchomosci": company.house_no,
        "NrLokalu": company.flat_no or "",
        "Typ": "F" if company.form == "jdg" else "P",
        "SilosID": company.silos,
        "DataZakonczeniaDzialalnosci": _ended(record),
        "MiejscowoscPoczty": company.city,
    }
    # A village without streets; and a service of an older release does not name the post office's town.
    if share("regon without street", record.key) < 0.02:
        del row["Ulica"], row["NrLokalu"]
    if share("regon without post office", record.key) < 0.02:
        del row["MiejscowoscPoczty"]
    return row


def legal_person(record: SourceRecord) -> Row:
    """BIR11OsPrawna."""
    company = record.company
    form = LEGAL_FORMS[company.form]
    return {
        "praw_regon9": _shown(record, "regon"),
        "praw_nip": company.nip,
        "praw_statusNip": _nip_status(company),
        "praw_nazwa": _shown(record, "name").upper(),
        "praw_nazwaSkrocona": "",
        "praw_numerWRejestrzeEwidencji": company.krs or "",
        "praw_dataWpisuDoRejestruEwidencji": _founded(company),
        "praw_dataPowstania": _founded(company),
        "praw_dataRozpoczeciaDzialalnosci": _founded(company),
        "praw_dataWpisuDoRegon": _founded(company),
        "praw_dataZawieszeniaDzialalnosci": _suspended(company),
        "praw_dataWznowieniaDzialalnosci": "",
        "praw_dataZaistnieniaZmiany": _changed(company),
        "praw_dataZakonczeniaDzialalnosci": _ended(record),
        "praw_dataSkresleniaZRegon": _struck_off(company),
        "praw_dataOrzeczeniaOUpadlosci": "",
        "praw_dataZakonczeniaPostepowaniaUpadlosciowego": "",
        **_seat(record, "praw_"),
        "praw_podstawowaFormaPrawna_Symbol": form.basic[0],
        "praw_szczegolnaFormaPrawna_Symbol": form.special[0],
        "praw_formaFinansowania_Symbol": "1",
        "praw_formaWlasnosci_Symbol": "214",
        "praw_organZalozycielski_Symbol": "",
        "praw_organRejestrowy_Symbol": "071010060",
        "praw_rodzajRejestruEwidencji_Symbol": "138" if company.krs_register == "P" else "",
        "praw_podstawowaFormaPrawna_Nazwa": form.basic[1],
        "praw_szczegolnaFormaPrawna_Nazwa": form.special[1],
        "praw_formaFinansowania_Nazwa": "JEDNOSTKA SAMOFINANSUJĄCA",
        "praw_formaWlasnosci_Nazwa": "WŁASNOŚĆ KRAJOWYCH OSÓB FIZYCZNYCH",
        "praw_organZalozycielski_Nazwa": "",
        "praw_organRejestrowy_Nazwa": _COURT,
        "praw_rodzajRejestruEwidencji_Nazwa": _REGISTERS[company.krs_register or "P"],
        "praw_liczbaJednLokalnych": "0",
    }


def natural_person(record: SourceRecord) -> Row:
    """BIR11OsFizycznaDaneOgolne: the person behind the business, whose name ends the firm's."""
    company = record.company
    form = LEGAL_FORMS[company.form]
    *_, first_name, surname = ["", "", *company.name.upper().split()]
    return {
        "fiz_regon9": _shown(record, "regon"),
        "fiz_nip": company.nip,
        "fiz_statusNip": _nip_status(company),
        "fiz_nazwisko": surname,
        "fiz_imie1": first_name,
        "fiz_imie2": "",
        "fiz_dataWpisuPodmiotuDoRegon": _founded(company),
        "fiz_dataZaistnieniaZmiany": _changed(company),
        "fiz_dataSkresleniaPodmiotuZRegon": _struck_off(company),
        "fiz_podstawowaFormaPrawna_Symbol": form.basic[0],
        "fiz_szczegolnaFormaPrawna_Symbol": form.special[0],
        "fiz_formaFinansowania_Symbol": "1",
        "fiz_formaWlasnosci_Symbol": "214",
        "fiz_podstawowaFormaPrawna_Nazwa": form.basic[1],
        "fiz_szczegolnaFormaPrawna_Nazwa": form.special[1],
        "fiz_formaFinansowania_Nazwa": "JEDNOSTKA SAMOFINANSUJĄCA",
        "fiz_formaWlasnosci_Nazwa": "WŁASNOŚĆ KRAJOWYCH OSÓB FIZYCZNYCH",
        "fiz_dzialalnoscCeidg": "1",
        "fiz_dzialalnoscRolnicza": "0",
        "fiz_dzialalnoscPozostala": "0",
        "fiz_dzialalnoscSkreslonaDo20141108": "0",
        "fiz_liczbaJednLokalnych": "0",
    }


def sole_trader(record: SourceRecord) -> Row:
    """BIR11OsFizycznaDzialalnoscCeidg."""
    company = record.company
    return {
        "fiz_regon9": _shown(record, "regon"),
        "fiz_nazwa": _shown(record, "name").upper(),
        "fiz_nazwaSkrocona": "",
        "fiz_dataPowstania": _founded(company),
        "fiz_dataRozpoczeciaDzialalnosci": _founded(company),
        "fiz_dataWpisuDzialalnosciDoRegon": _founded(company),
        "fiz_dataZawieszeniaDzialalnosci": _suspended(company),
        "fiz_dataWznowieniaDzialalnosci": "",
        "fiz_dataZaistnieniaZmianyDzialalnosci": _changed(company),
        "fiz_dataZakonczeniaDzialalnosci": _ended(record),
        "fiz_dataSkresleniaDzialalnosciZRegon": _struck_off(company),
        "fiz_dataOrzeczeniaOUpadlosci": "",
        "fiz_dataZakonczeniaPostepowaniaUpadlosciowego": "",
        **_seat(record, "fiz_"),
        "fizC_dataWpisuDoRejestruEwidencji": _founded(company),
        "fizC_dataSkresleniaZRejestruEwidencji": _struck_off(company),
        "fizC_numerWRejestrzeEwidencji": "",
        "fizC_OrganRejestrowy_Symbol": "",
        "fizC_OrganRejestrowy_Nazwa": "MINISTER ROZWOJU I TECHNOLOGII",
        "fizC_RodzajRejestru_Symbol": "151",
        "fizC_RodzajRejestru_Nazwa": "CENTRALNA EWIDENCJA I INFORMACJA O DZIAŁALNOŚCI GOSPODARCZEJ",
        "fizC_NiePodjetoDzialalnosci": "false",
    }


def _seat(record: SourceRecord, prefix: str) -> Row:
    """Seat, telephone and e-mail, which the reports of both kinds hold under their own prefix."""
    company = record.company
    fields = {
        "adSiedzKraj_Symbol": company.country,
        "adSiedzWojewodztwo_Symbol": _VOIVODESHIP_SYMBOLS[company.voivodeship],
        "adSiedzPowiat_Symbol": "",
        "adSiedzGmina_Symbol": "",
        "adSiedzKodPocztowy": _shown(record, "postal_code").replace("-", ""),
        "adSiedzMiejscowoscPoczty_Symbol": "",
        "adSiedzMiejscowosc_Symbol": "",
        "adSiedzUlica_Symbol": "",
        "adSiedzNumerNieruchomosci": company.house_no,
        "adSiedzNumerLokalu": company.flat_no or "",
        "adSiedzNietypoweMiejsceLokalizacji": "",
        "numerTelefonu": company.phone.removeprefix("+48"),
        "numerWewnetrznyTelefonu": "",
        "numerFaksu": "",
        "adresEmail": company.email,
        "adresStronyinternetowej": "",
        "adSiedzKraj_Nazwa": "POLSKA",
        "adSiedzWojewodztwo_Nazwa": company.voivodeship.upper(),
        "adSiedzPowiat_Nazwa": f"m. {company.city}",
        "adSiedzGmina_Nazwa": company.city,
        "adSiedzMiejscowosc_Nazwa": company.city,
        "adSiedzMiejscowoscPoczty_Nazwa": company.city,
        "adSiedzUlica_Nazwa": f"ul. {company.street}",
    }
    return {f"{prefix}{name}": value for name, value in fields.items()}


def activity_of_legal_person(record: SourceRecord) -> Row:
    """BIR11OsPrawnaPkd: the main activity, the one that the world's companies have."""
    return {
        "praw_pkdKod": "6210B",
        "praw_pkdNazwa": "POZOSTAŁA DZIAŁALNOŚĆ W ZAKRESIE PROGRAMOWANIA",
        "praw_pkdPrzewazajace": "1",
    }


def activity_of_natural_person(record: SourceRecord) -> Row:
    """BIR11OsFizycznaPkd."""
    return {
        "fiz_pkd_Kod": "6210B",
        "fiz_pkd_Nazwa": "POZOSTAŁA DZIAŁALNOŚĆ W ZAKRESIE PROGRAMOWANIA",
        "fiz_pkd_Przewazajace": "1",
    }


def _shown(record: SourceRecord, field: str) -> str:
    return str(record.fields[field] or "")


def _nip_status(company: Company) -> str:
    return "Uchylony" if company.status == "liquidated" else ""


def _founded(company: Company) -> str:
    return company.created.date().isoformat()


def _changed(company: Company) -> str:
    return company.changed.astimezone(WARSAW).date().isoformat()


def _suspended(company: Company) -> str:
    return _changed(company) if company.status == "suspended" else ""


def _ended(record: SourceRecord) -> str:
    if record.variant:  # the business before this one
        return _founded(record.company)
    return _changed(record.company) if record.company.status == "liquidated" else ""


def _struck_off(company: Company) -> str:
    return company.struck_off.isoformat() if company.struck_off else ""
