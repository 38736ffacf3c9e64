"""What an invoice and its lines amount to, as far as they say it: what is not said is None, never nothing.

Elements are FA(3)'s. Amounts are exact decimals in the invoice's currency. Rules: the Polish VAT act, art. 106e
(ust. 5 pkt 3: simplified invoices; ust. 7 and 8: lines in gross prices; ust. 2 and 3: margin schemes).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from onefold.connectors.safe_xml import Row
from onefold.systems.ksef.form import part, parts, text

CENT = Decimal("0.01")
MARGIN = "P_13_11"
"""The sum of what was sold under a margin scheme: with the tax, which such an invoice does not show."""

_TAXED = (("P_13_1", "P_14_1"), ("P_13_2", "P_14_2"), ("P_13_3", "P_14_3"), ("P_13_4", "P_14_4"), ("P_13_5", "P_14_5"))
_UNTAXED = ("P_13_6_1", "P_13_6_2", "P_13_6_3", "P_13_7", "P_13_8", "P_13_9", "P_13_10")
_IN_PLN = ("P_14_1W", "P_14_2W", "P_14_3W", "P_14_4W", "P_11_2W")
_WITHOUT_TAX = ("0", "0 KR", "0 WDT", "0 EX", "zw", "oo", "np", "np I", "np II")


def number(row: Row, name: str) -> Decimal | None:
    """The element as a number; None when it is missing or none."""
    try:
        value = Decimal(text(row, name) or "")
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def sums(body: Row) -> dict[str, Decimal | None]:
    """`net`, `vat` and `vat_pln` of the invoice with this element Fa.

    None where the invoice does not say: of a simplified one, which has P_15 alone, and under a margin scheme.
    """
    if (net := number(body, "P_11_1")) is not None:  # FA_RR
        vat = number(body, "P_11_2")
        return {"net": net, "vat": vat, "vat_pln": _in_zlotys(body, vat)}
    nets = [number(body, name) for name in (*(net for net, _ in _TAXED), *_UNTAXED)]
    taxed = [(number(body, net), number(body, vat)) for net, vat in _TAXED]
    if MARGIN in body:
        return {"net": None, "vat": None, "vat_pln": None}
    if all(each is None for each in nets):
        nothing = Decimal(0) if number(body, "P_15") == 0 else None  # a correction of a name or an address
        return {"net": nothing, "vat": nothing, "vat_pln": nothing}
    says_all = all(vat is not None for net, vat in taxed if net is not None)
    vat = sum((vat for _, vat in taxed if vat is not None), Decimal(0)) if says_all else None
    total = sum((each for each in nets if each is not None), Decimal(0))
    return {"net": total, "vat": vat, "vat_pln": _in_zlotys(body, vat)}


def _in_zlotys(body: Row, vat: Decimal | None) -> Decimal | None:
    if text(body, "KodWaluty") == "PLN" or vat == 0:
        return vat
    said = [each for name in _IN_PLN if (each := number(body, name)) is not None]
    return sum(said, Decimal(0)) if said else None


def line(row: Row, states: bool) -> dict[str, Decimal | str | None]:
    """What one line (FaWiersz) adds to the invoice: `net`, `gross`, `quantity`, each negative in the state before.

    `states`: the correction shows lines as they were and as they are now. Of a line in gross prices the net amount
    follows from gross and rate, where the rate is known.
    """
    before = text(row, "StanPrzed") == "1"
    sign = -1 if before else 1
    quantity, gross = number(row, "P_8B"), number(row, "P_11A")
    if gross is None:
        gross = _priced(row, "P_9B", quantity)
    net = number(row, "P_11")
    if net is None:
        net = _without_tax(row, gross) if gross is not None else _priced(row, "P_9A", quantity)
    return {
        "state": "before" if before else "after" if states else None,
        **{name: _signed(value, sign) for name, value in (("net", net), ("gross", gross), ("quantity", quantity))},
    }


def shows_states(lines: list[Row]) -> bool:
    """Whether the lines of a correction are given as they were and as they are now, and not as differences."""
    return any(text(row, "StanPrzed") == "1" for row in lines)


def rate(row: Row) -> Decimal | None:
    """The tax rate in percent, 0 where no tax is due; None when the line does not say."""
    said = text(row, "P_12")
    if said in _WITHOUT_TAX:
        return Decimal(0)
    return number(row, "P_12") if said else number(row, "P_12_XII")


def settlement(body: Row) -> dict[str, Decimal | str | None]:
    """`due`: what is to be paid (negative: given back); `prepaid`: what of it had been paid when it was issued,
    and `prepaid_on` the last day of that."""
    settled, payment = part(body, "Rozliczenie"), part(body, "Platnosc")
    back = number(settled, "DoRozliczenia")
    due = number(settled, "DoZaplaty") if back is None else -back
    if due is None:
        due = number(body, "P_15")
    instalments = parts(payment, "ZaplataCzesciowa")
    days = [day for each in instalments if (day := text(each, "DataZaplatyCzesciowej"))]
    if text(payment, "Zaplacono") == "1":
        return {"due": due, "prepaid": due, "prepaid_on": text(payment, "DataZaplaty")}
    paid = [each for row in instalments if (each := number(row, "KwotaZaplatyCzesciowej")) is not None]
    whole = text(payment, "ZnacznikZaplatyCzesciowej") == "2"
    prepaid = due if whole else sum(paid, Decimal(0)) if paid else None
    return {"due": due, "prepaid": prepaid, "prepaid_on": max(days, default=None)}


def _priced(row: Row, price: str, quantity: Decimal | None) -> Decimal | None:
    each = number(row, price)
    if each is None or quantity is None:
        return None
    return _cents(each * quantity - (number(row, "P_10") or 0))


def _without_tax(row: Row, gross: Decimal) -> Decimal | None:
    if (vat := number(row, "P_11Vat")) is not None:
        return gross - vat
    percent = rate(row)
    return None if percent is None else _cents(gross * 100 / (100 + percent))


def _cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def _signed(value: Decimal | None, sign: int) -> Decimal | None:
    return None if value is None else value * sign
