"""Who is on an invoice, and what is still to be paid to whom, when and in which currency."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.connectors.ksef_samples import BUYER, invoice, line
from tests.mapping.invoices import Map, head, lines

D = Decimal


def test_what_is_still_to_be_paid_and_when(mapped: Map) -> None:
    instalments = "".join(f"<TerminPlatnosci><Termin>2026-0{m}-15</Termin></TerminPlatnosci>" for m in (5, 4, 6))
    described = (
        "<TerminPlatnosci><TerminOpis><Ilosc>14</Ilosc><Jednostka>dni</Jednostka><ZdarzeniePoczatkowe>od dostawy"
        "</ZdarzeniePoczatkowe></TerminOpis></TerminPlatnosci>"
    )
    account = "<{0}><NrRB>{1}</NrRB></{0}>"
    ours, theirs = "61109010140000071219812874", "27114020040000300201355387"
    accounts = account.format("RachunekBankowy", ours) + account.format("RachunekBankowyFaktora", theirs)
    charge = "<Obciazenia><Kwota>10</Kwota><Powod>palety</Powod></Obciazenia>"
    charged = f"<Rozliczenie>{charge}<DoZaplaty>133</DoZaplaty></Rozliczenie>"
    part = (
        "<ZaplataCzesciowa><KwotaZaplatyCzesciowej>{}</KwotaZaplatyCzesciowej><DataZaplatyCzesciowej>2026-02-2{}"
        "</DataZaplatyCzesciowej></ZaplataCzesciowa>"
    )
    parts = f"<ZnacznikZaplatyCzesciowej>1</ZnacznikZaplatyCzesciowej>{part.format(20, 8)}{part.format(30, 1)}"
    payment = f"<Platnosc>{parts}{instalments}{described}<FormaPlatnosci>6</FormaPlatnosci>{accounts}</Platnosc>"
    golden = head(mapped, invoice(after_lines=charged + payment))
    assert (golden["amount_due"], golden["prepaid_amount"], golden["prepaid_on"]) == (D(133), D(50), date(2026, 2, 28))
    assert (golden["due_on"], golden["last_due_on"]) == (date(2026, 4, 15), date(2026, 6, 15))
    assert golden["payment_terms"] == "14 dni od dostawy"
    assert (golden["seller_account"], golden["factor_account"]) == (ours, theirs)

    paid = "<Platnosc><Zaplacono>1</Zaplacono><DataZaplaty>2026-03-01</DataZaplaty></Platnosc>"
    golden = head(mapped, invoice(after_lines=paid))
    assert (golden["amount_due"], golden["prepaid_amount"], golden["prepaid_on"]) == (D(123), D(123), date(2026, 3, 1))
    whole_in_parts = payment.replace("Czesciowej>1</Znacznik", "Czesciowej>2</Znacznik")
    assert head(mapped, invoice(after_lines=whole_in_parts))["prepaid_amount"] == D(123)
    back = "<Rozliczenie><DoRozliczenia>7</DoRozliczenia></Rozliczenie>"
    assert head(mapped, invoice(after_lines=back))["amount_due"] == D(-7)


@pytest.mark.parametrize(
    ("buyer", "identifier", "expected"),
    [
        (f"<NIP>{BUYER}</NIP>", {"type": "Nip", "value": BUYER}, (BUYER, None, None, None)),
        ("<KodUE>DE</KodUE><NrVatUE>123456789</NrVatUE>", {"type": "VatUe", "value": "DE123456789"},
         (None, "DE123456789", None, None)),
        ("<KodUE>FR</KodUE><NrVatUE>FR1234567890</NrVatUE>", {"type": "VatUe", "value": "x"},
         (None, "FR1234567890", None, None)),
        ("<KodKraju>US</KodKraju><NrID>12-34</NrID>", {"type": "Other", "value": "12-34"}, (None, None, "12-34", "US")),
        ("<NrID>12-34</NrID>", {"type": "Other", "value": "12-34"}, (None, None, "12-34", None)),
        ("<BrakID>1</BrakID>", {"type": "None"}, (None, None, None, None)),
    ],
)  # fmt: skip
def test_a_buyer_is_known_by_the_number_that_he_has(
    mapped: Map, buyer: str, identifier: dict[str, str], expected: tuple[str | None, ...]
) -> None:
    golden = head(mapped, invoice(buyer=buyer), buyer={"identifier": identifier, "name": "Nabywca"})
    names = ("customer_tax_id", "customer_eu_vat", "customer_other_id", "customer_other_country")
    assert tuple(golden[name] for name in names) == expected
    assert golden["customer_name"] == "Nabywca"


def test_third_parties_are_named_by_what_they_are_to_the_invoice(mapped: Map) -> None:
    third = "".join(
        f"<Podmiot3><DaneIdentyfikacyjne>{who}<Nazwa>{name}</Nazwa></DaneIdentyfikacyjne>{role}</Podmiot3>"
        for who, name, role in (
            (f"<NIP>{BUYER}</NIP>", "Faktor", "<Rola>1</Rola>"),
            ("<BrakID>1</BrakID>", "Oddział", "<Rola>2</Rola>"),
            ("<BrakID>1</BrakID>", "Inny", "<RolaInna>1</RolaInna><OpisRoli>x</OpisRoli>"),
        )
    )
    golden = head(mapped, invoice(third=third))
    assert (golden["factor_tax_id"], golden["factor_name"]) == (BUYER, "Faktor")
    assert (golden["recipient_tax_id"], golden["recipient_name"], golden["payer_name"]) == (None, "Oddział", None)
    assert golden["third_parties"] == 3


def test_an_invoice_in_another_currency_says_its_tax_in_zlotys_and_by_which_rate(mapped: Map) -> None:
    totals = (
        "<P_13_1>100</P_13_1><P_14_1>23</P_14_1><P_14_1W>98.90</P_14_1W>"
        "<P_13_2>50</P_13_2><P_14_2>4</P_14_2><P_14_2W>17.21</P_14_2W>"
    )
    rated = [line("<P_11>100</P_11><P_12>23</P_12><KursWaluty>4.3</KursWaluty>", place=place) for place in (1, 2)]
    xml = invoice(currency="EUR", totals=totals, gross="177", lines=rated)
    golden = head(mapped, xml, currency="EUR")
    assert (golden["vat_amount"], golden["vat_amount_pln"], golden["exchange_rate"]) == (D(27), D("116.11"), D("4.3"))
    rated[1] = rated[1].replace("4.3", "4.4")
    xml = invoice(currency="EUR", totals=totals, gross="177", lines=rated)
    assert head(mapped, xml, currency="EUR")["exchange_rate"] is None
    assert [each["exchange_rate"] for each in lines(mapped, xml, currency="EUR")] == [D("4.3"), D("4.4")]
