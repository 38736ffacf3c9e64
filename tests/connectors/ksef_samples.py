"""Invoices of every kind for the tests of KSeF: small ones, valid against FA(3), with parts that a test puts in."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from onefold.systems.ksef.package import Exported

FA_3 = "http://crd.gov.pl/wzor/2025/06/25/13775/"
FA_2 = "http://crd.gov.pl/wzor/2023/06/29/12648/"
FA_RR = "http://crd.gov.pl/wzor/2026/03/06/14189/"
SELLER, BUYER = "5252248481", "5270103391"
NUMBER = f"{SELLER}-20260301-0123456789AB-0A"
NOTES = (
    "<Adnotacje><P_16>2</P_16><P_17>2</P_17><P_18>2</P_18><P_18A>2</P_18A><Zwolnienie><P_19N>1</P_19N></Zwolnienie>"
    "<NoweSrodkiTransportu><P_22N>1</P_22N></NoweSrodkiTransportu><P_23>2</P_23><PMarzy>{margin}</PMarzy></Adnotacje>"
)
NO_MARGIN = "<P_PMarzyN>1</P_PMarzyN>"
CORRECTED = (
    "<DaneFaKorygowanej><DataWystFaKorygowanej>2026-02-01</DataWystFaKorygowanej><NrFaKorygowanej>{}</NrFaKorygowanej>"
    "<NrKSeFN>1</NrKSeFN></DaneFaKorygowanej>"
)


def line(*elements: str, place: int = 1) -> str:
    """A line with these elements after its number and name."""
    return f"<FaWiersz><NrWierszaFa>{place}</NrWierszaFa><P_7>Towar</P_7>{''.join(elements)}</FaWiersz>"


def invoice(
    *,
    kind: str = "VAT",
    number: str = "FV/1/2026",
    currency: str = "PLN",
    totals: str = "<P_13_1>100.00</P_13_1><P_14_1>23.00</P_14_1>",
    gross: str = "123.00",
    buyer: str = f"<NIP>{BUYER}</NIP>",
    third: str = "",
    margin: str = NO_MARGIN,
    corrects: str | None = None,
    lines: Iterable[str] = (),
    after_lines: str = "",
    namespace: str = FA_3,
) -> bytes:
    """FA(3), or with another namespace FA(2)."""
    version = 3 if namespace == FA_3 else 2
    units = "<JST>2</JST><GV>2</GV>" if version == 3 else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Faktura xmlns="{namespace}">'
        f'<Naglowek><KodFormularza kodSystemowy="FA ({version})" wersjaSchemy="1-0E">FA</KodFormularza>'
        f"<WariantFormularza>{version}</WariantFormularza><DataWytworzeniaFa>2026-03-01T10:00:00Z</DataWytworzeniaFa>"
        f"</Naglowek><Podmiot1><DaneIdentyfikacyjne><NIP>{SELLER}</NIP><Nazwa>My</Nazwa></DaneIdentyfikacyjne>"
        "<Adres><KodKraju>PL</KodKraju><AdresL1>Prosta 1</AdresL1></Adres></Podmiot1>"
        f"<Podmiot2><DaneIdentyfikacyjne>{buyer}<Nazwa>Nabywca</Nazwa></DaneIdentyfikacyjne>{units}</Podmiot2>{third}"
        f"<Fa><KodWaluty>{currency}</KodWaluty><P_1>2026-03-01</P_1><P_2>{number}</P_2>{totals}<P_15>{gross}</P_15>"
        f"{NOTES.format(margin=margin)}<RodzajFaktury>{kind}</RodzajFaktury>"
        f"{CORRECTED.format(corrects) if corrects else ''}{''.join(lines)}{after_lines}</Fa></Faktura>"
    ).encode()


def farmer() -> bytes:
    """FA_RR: what a farmer sold us."""
    return (
        f'<Faktura xmlns="{FA_RR}"><Podmiot1><DaneIdentyfikacyjne><NIP>{SELLER}</NIP><Nazwa>Rolnik</Nazwa>'
        "</DaneIdentyfikacyjne></Podmiot1><Podmiot2/><FakturaRR><KodWaluty>PLN</KodWaluty><P_4A>2026-03-08</P_4A>"
        "<P_4B>2026-03-10</P_4B><P_4C>RR/1/2026</P_4C><P_11_1>5000.00</P_11_1><P_11_2>350.00</P_11_2>"
        "<P_12_1>5350.00</P_12_1><RodzajFaktury>VAT_RR</RodzajFaktury><FakturaRRWiersz><NrWierszaFa>1</NrWierszaFa>"
        "<P_5>Ziemniaki</P_5><P_6A>kg</P_6A><P_6B>1000</P_6B><P_7>5.00</P_7><P_8>5000.00</P_8><P_9>7</P_9>"
        "<P_10>350.00</P_10><P_11>5350.00</P_11></FakturaRRWiersz><Platnosc><FormaPlatnosci>1</FormaPlatnosci>"
        "<RachunekBankowy1><NrRB>61109010140000071219812874</NrRB></RachunekBankowy1></Platnosc></FakturaRR></Faktura>"
    ).encode()


def exported(xml: bytes, *, kind: str = "Vat", **metadata: object) -> Exported:
    """The invoice with what KSeF says of it."""
    known: dict[str, object] = {
        "ksefNumber": NUMBER,
        "invoiceNumber": "FV/1/2026",
        "invoiceType": kind,
        "issueDate": "2026-03-01",
        "invoicingDate": "2026-03-01T10:00:00.0000001+00:00",
        "acquisitionDate": "2026-03-01T10:00:01.0000001+00:00",
        "permanentStorageDate": "2026-03-01T10:00:02.0000001+00:00",
        "seller": {"nip": SELLER, "name": "My"},
        "buyer": {"identifier": {"type": "Nip", "value": BUYER}, "name": "Nabywca"},
        "currency": "PLN",
        "netAmount": 0.0,
        "grossAmount": 123.0,
        "vatAmount": 0.0,
        "invoicingMode": "Online",
        "invoiceHash": "h",
        "isSelfInvoicing": False,
        "hasAttachment": False,
        "formCode": {"systemCode": "FA (3)", "schemaVersion": "1-0E", "value": "FA"},
        **metadata,
    }
    return Exported(msgspec.json.decode(msgspec.json.encode(known), type=dict[str, msgspec.Raw]), lambda: xml)
