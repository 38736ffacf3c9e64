"""Who is named on an invoice and when and how it is to be paid, one value each, from elements that may come often."""

from __future__ import annotations

from onefold.connectors.safe_xml import Row
from onefold.systems.ksef.form import part, parts, text

ROLES = {"1": "factor", "2": "recipient", "4": "other_buyer", "6": "payer"}
"""TRolaPodmiotu3: those of whom a golden record tells. Of several with one role the first is taken."""

MARGINS = {
    "P_PMarzy_2": "travel",
    "P_PMarzy_3_1": "used goods",
    "P_PMarzy_3_2": "works of art",
    "P_PMarzy_3_3": "antiques",
}


def terms(invoice: Row) -> dict[str, object]:
    """Parties, days and accounts of the invoice; None for what it does not say."""
    body = part(invoice, "Fa")
    payment, notes = part(body, "Platnosc"), part(body, "Adnotacje")
    days = sorted(day for each in parts(payment, "TerminPlatnosci") if (day := text(each, "Termin")))
    buyer = part(part(invoice, "Podmiot2"), "DaneIdentyfikacyjne")
    margin = part(notes, "PMarzy")
    period = part(body, "OkresFa")
    return {
        "sold_on": text(body, "P_6") or text(period, "P_6_Do"),
        "first_due_on": days[0] if days else None,
        "last_due_on": days[-1] if days else None,
        "due_dates": len(days),
        "payment_terms": "; ".join(filter(None, map(_described, parts(payment, "TerminPlatnosci")))) or None,
        "account": text(part(payment, "RachunekBankowy"), "NrRB"),
        "factor_account": text(part(payment, "RachunekBankowyFaktora"), "NrRB"),
        "buyer_eu_vat": _eu_vat(buyer),
        "buyer_other_id": text(buyer, "NrID"),
        "buyer_other_id_country": text(buyer, "KodKraju") if text(buyer, "NrID") else None,
        "margin_scheme": next((name for mark, name in MARGINS.items() if text(margin, mark) == "1"), None),
        "exchange_rate": text(body, "KursWalutyZ") or _rate(parts(body, "FaWiersz")),
        "split_payment": {"1": True, "2": False}.get(text(notes, "P_18A") or ""),
        "corrected_invoices": len(parts(body, "DaneFaKorygowanej")) or None,
        "third_parties": len(parts(invoice, "Podmiot3")),
        **_third_parties(invoice),
    }


def _third_parties(invoice: Row) -> dict[str, object]:
    found: dict[str, object] = {f"{role}_{what}": None for role in ROLES.values() for what in ("nip", "name")}
    for third in reversed(parts(invoice, "Podmiot3")):
        if role := ROLES.get(text(third, "Rola") or ""):
            who = part(third, "DaneIdentyfikacyjne")
            found |= {f"{role}_nip": text(who, "NIP"), f"{role}_name": text(who, "Nazwa")}
    return found


def _described(term: Row) -> str:
    """TerminOpis: a text in FA(2), a number, a unit and what it counts from in FA(3)."""
    described = part(term, "TerminOpis")
    words = [text(described, name) for name in ("Ilosc", "Jednostka", "ZdarzeniePoczatkowe")]
    return " ".join(word for word in words if word) or text(term, "TerminOpis") or ""


def _eu_vat(who: Row) -> str | None:
    """The VAT number with its country; some write the country into the number too."""
    country, number = text(who, "KodUE"), text(who, "NrVatUE")
    if not country or not number:
        return None
    return number if number.upper().startswith(country) else country + number


def _rate(lines: list[Row]) -> str | None:
    """The exchange rate of the lines, where they all have the same."""
    rates = {rate for line in lines if (rate := text(line, "KursWaluty"))}
    return rates.pop() if len(rates) == 1 else None
