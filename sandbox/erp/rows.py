"""What the Polish ERP writes into its rows: companies, goods, orders and invoices in its own spelling."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache

from sandbox.white_list.api import bank_account
from sandbox.world import business, identifiers
from sandbox.world.company import Company, draw_phone, make_company
from sandbox.world.foreign import FIRST, foreign, in_full, vat_number
from sandbox.world.share import choice
from sandbox.world.spelling import abbreviated, split_legal_form, telephone, to_ascii

Values = dict[str, object]
STATES = {
    "new": "nowe",
    "confirmed": "potwierdzone",
    "shipped": "wysłane",
    "completed": "zrealizowane",
    "cancelled": "anulowane",
}
TERMS = (7, 14, 14, 30, 60)
_DAMAGE: dict[str, Values] = {
    "name_missing": {"nazwa": ""},
    "credit_limit_negative": {"limit_kredytu": Decimal("-1.00")},
    "stamp_missing": {"data_modyfikacji": None},
    "stamp_infinite": {"data_modyfikacji": "infinity"},
    "date_infinite": {"data_zamowienia": "infinity"},
    "due_in_year_20260": {"termin_platnosci": "20260-05-12"},
    "payment_term_negative": {"termin_platnosci_dni": -14},
    "ean_malformed": {"ean": "59012345"},
    "price_negative": {"cena_netto": Decimal("-9.99")},
    "price_not_a_number": {"cena_netto": Decimal("NaN")},
    "status_unknown": {"status": "zawieszone?"},
    "currency_malformed": {"waluta": "zł"},
    "quantity_zero": {"ilosc": Decimal(0)},
    "vat_rate_unknown": {"stawka_vat": Decimal("99.00")},
}
_DAMAGE_MARIADB: dict[str, Values] = {
    "stamp_infinite": {"data_modyfikacji": "0000-00-00 00:00:00"},
    "date_infinite": {"data_zamowienia": "0000-00-00"},
    "due_in_year_20260": {"termin_platnosci": "0000-00-00"},
    "price_not_a_number": {"cena_netto": None},
}
"""What MariaDB has in the place of values that only PostgreSQL holds."""


@dataclass(frozen=True, slots=True)
class Row:
    """Which row of a world of so many companies: the number of its thing and, for a line, its place from 0."""

    seed: int
    companies: int
    number: int
    revision: int
    place: int
    broken: str | None


def client_id(company: int) -> int:
    """id_klienta of the company with this id."""
    return 1001 + company


def supplier_id(company: int) -> int:
    """id_dostawcy of the company with this id."""
    return 50_000_001 + company


def is_document(seed: int, number: int, companies: int) -> bool:
    """An even number is invoice number/2, the odd one after it the correction of that, which most have not."""
    return number % 2 == 0 or business.correction(seed, number // 2, companies=companies) is not None


@lru_cache(4096)
def document(seed: int, number: int, companies: int) -> business.Invoice:
    """The invoice or correction with this number, which must exist."""
    if number % 2 == 0:
        return business.invoice(seed, number // 2, companies=companies)
    found = business.correction(seed, number // 2, companies=companies)
    if found is None:
        raise ValueError(f"invoice {number // 2} has no correction")
    return found


def klient(row: Row) -> Values:
    abroad = row.number >= FIRST
    company = foreign(row.number) if abroad else make_company(row.seed, row.number)
    style = random.Random(f"{row.seed}:erp:klient:{row.number}")
    values = {"id_klienta": client_id(row.number), "akronim": _short(company), **_company(company, row, style)}
    if abroad:  # which a clerk writes with its legal form in full, and its own tax number in the place of the NIP
        values |= {"nazwa": in_full(row.number), "nip": vat_number(row.number)}
    return values | {
        "limit_kredytu": company.credit_limit + 1000 * (row.revision - 1),
        "waluta": company.currency,
        "termin_platnosci_dni": style.choice(TERMS),
        "aktywny": company.status == "active",
    }


def dostawca(row: Row) -> Values:
    company = make_company(row.seed, row.number)
    style = random.Random(f"{row.seed}:erp:dostawca:{row.number}")
    listed = style.random() < 0.9  # the others' account is on no white list
    account = bank_account(row.seed, row.number, 0 if listed else 99)
    return {
        "id_dostawcy": supplier_id(row.number),
        **_company(company, row, style),
        "rachunek_bankowy": account if style.random() < 0.95 else None,
        "waluta": company.currency,
        "termin_platnosci_dni": style.choice(TERMS) + row.revision - 1,
        "aktywny": company.status == "active",
        "czas_dostawy": delivery_time(row.number),
    }


def delivery_time(supplier: int) -> str | None:
    """How long a supplier takes: some a month, some more hours than a day has, some are ahead of the order."""
    which = choice("delivery time", supplier, {"1 mon": 0.04, "36:30:00": 0.04, "-01:00:00": 0.02, "none": 0.3})
    return None if which == "none" else which or "14 days"


def towar(row: Row) -> Values:
    product = business.product(row.seed, row.number, row.revision)
    return {
        "id_towaru": row.number + 1,
        "indeks": product.sku,
        "ean": product.ean,
        "nazwa": product.name,
        "jm": product.unit,
        "cena_netto": product.net_price,
        "waluta": product.currency,
        "stawka_vat": product.vat_rate,
        "aktywny": product.active,
    }


def zamowienie(row: Row) -> Values:
    order = business.order(row.seed, row.number, row.revision, companies=row.companies)
    held = order.lines[:-1] if row.revision % 2 == 0 and len(order.lines) > 1 else order.lines  # as Parts takes away
    net, vat = sum((line.net for line in held), Decimal(0)), sum((line.vat for line in held), Decimal(0))
    return {
        "id_zamowienia": row.number + 1,
        "numer": order.reference,
        "id_klienta": client_id(order.company),
        "data_zamowienia": order.day,
        "status": STATES[order.status],
        "waluta": order.currency,
        **_amounts(net, vat),
    }


def zamowienie_pozycja(row: Row) -> Values:
    order = business.order(row.seed, row.number, row.revision, companies=row.companies)
    return {"id_zamowienia": row.number + 1, "lp": row.place + 1, **_line(row.seed, order.lines[row.place])}


def faktura(row: Row) -> Values:
    invoice = document(row.seed, row.number, row.companies)
    original = business.invoice(row.seed, invoice.number, companies=row.companies)
    order = invoice.order
    return {
        "id_faktury": row.number + 1,
        "numer": invoice.reference,
        "rodzaj": "FV" if invoice.corrects is None else "KOR",
        "nr_zamowienia": order.reference,
        "numer_korygowanej": None if invoice.corrects is None else original.reference,
        "id_klienta": client_id(order.company),
        "nip_nabywcy": identifiers.nip(order.company),
        "data_wystawienia": invoice.issued,
        "data_sprzedazy": order.day,
        "termin_platnosci": invoice.due,
        "waluta": order.currency,
        **_amounts(order.net, order.vat),
    }


def faktura_pozycja(row: Row) -> Values:
    lines = document(row.seed, row.number, row.companies).order.lines
    return {"id_faktury": row.number + 1, "lp": row.place + 1, **_line(row.seed, lines[row.place])}


def in_mariadb(values: Values) -> Values:
    """The row where an interval has hours only."""
    hours = {"1 mon": "720:00:00", "14 days": "336:00:00"}
    if "czas_dostawy" not in values:
        return values
    return values | {"czas_dostawy": hours.get(str(values["czas_dostawy"]), values["czas_dostawy"])}


def broken(values: Values, code: str | None, *, mariadb: bool = False) -> Values:
    """The row, damaged as the code says. Raises ValueError for a code that the ERP has not."""
    if code is None:
        return values
    if code == "due_before_issue":
        return values | {"termin_platnosci": values["data_wystawienia"] - timedelta(days=400)}
    if code in _DAMAGE:
        return values | _DAMAGE[code] | (_DAMAGE_MARIADB.get(code, {}) if mariadb else {})
    raise ValueError(f"the ERP has no broken rows of kind {code!r}")


def _company(company: Company, row: Row, style: random.Random) -> Values:
    """Name, numbers, address and contact; a revision brings another telephone."""
    name = abbreviated(company.name, style.random())
    name = name.upper() if style.random() < 0.3 else name
    nip_way, regon_given = style.random(), style.random() < 0.6
    email_given, phone_pick = style.random() < 0.8, style.random()
    dashed = f"{company.nip[:3]}-{company.nip[3:6]}-{company.nip[6:8]}-{company.nip[8:]}"
    moved = random.Random(f"{row.seed}:erp:phone:{row.number}:{row.revision}")
    phone = company.phone if row.revision == 1 else draw_phone(moved, "22")
    return {
        "nazwa": name,
        "nip": None if nip_way < 0.05 or not company.nip else dashed if nip_way < 0.4 else company.nip,
        "regon": company.regon if regon_given and company.regon else None,
        "ulica": company.street,
        "nr_domu": company.house_no,
        "nr_lokalu": company.flat_no,
        "kod_pocztowy": company.postal_code,
        "miejscowosc": company.city,
        "kraj": company.country,
        "email": company.email if email_given else None,
        "telefon": telephone(phone, phone_pick),
    }


def _short(company: Company) -> str:
    letters = "".join(letter for letter in to_ascii(split_legal_form(company.name)[0]).upper() if letter.isalnum())
    return f"{letters[:12]}_{company.id}"


def _line(seed: int, line: business.Line) -> Values:
    product = business.product(seed, line.product)
    return {
        "indeks": product.sku,
        "nazwa": product.name,
        "ilosc": Decimal(line.quantity),
        "jm": product.unit,
        "cena_netto": line.net_price,
        "stawka_vat": line.vat_rate,
        "wartosc_netto": line.net,
        "wartosc_vat": line.vat,
    }


def _amounts(net: Decimal, vat: Decimal) -> Values:
    return {"kwota_netto": net, "kwota_vat": vat, "kwota_brutto": net + vat}
