"""The invoices of KSeF on the wire: what KSeF says of each, and each as FA(3) XML.

An invoice never changes, so the other side stays the company as it first was.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from xml.sax.saxutils import escape

from sandbox.ksef.books import company, invoice, is_nip, ksef_number, purchase
from sandbox.nbp import api as nbp
from sandbox.white_list.api import bank_account
from sandbox.world import Entry, business

NAMESPACE = "http://crd.gov.pl/wzor/2025/06/25/13775/"
OUR_ACCOUNT = "61109010140000071219812874"
TRANSFER = 6
_FIRST_FORM = datetime(2025, 9, 1, tzinfo=UTC)  # FA(3) takes no earlier date of making
_PLACES = {Decimal(23): 1, Decimal(8): 2, Decimal(5): 3}
_CURRENCY = next(place for place, each in enumerate(nbp.CURRENCIES) if each[0] == "EUR")
_BOMB = '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>'


@dataclass(frozen=True, slots=True)
class Party:
    """A seller or a buyer."""

    nip: str
    name: str
    street: str
    town: str
    email: str
    phone: str
    account: str

    @property
    def described(self) -> str:
        """Its elements from DaneIdentyfikacyjne on."""
        who = f"<NIP>{self.nip}</NIP>" if is_nip(self.nip) else f"<KodKraju>PL</KodKraju><NrID>{self.nip}</NrID>"
        return (
            f"<DaneIdentyfikacyjne>{who}<Nazwa>{escape(self.name)}</Nazwa></DaneIdentyfikacyjne>"
            f"<Adres><KodKraju>PL</KodKraju><AdresL1>{escape(self.street)}</AdresL1><AdresL2>{escape(self.town)}</AdresL2>"
            f"</Adres><DaneKontaktowe><Email>{self.email}</Email><Telefon>{self.phone}</Telefon></DaneKontaktowe>"
        )


US = Party(
    business.OUR_NIP, business.OUR_NAME, "Prosta 20", "00-850 Warszawa", "faktury@jednorodny.example.pl",
    "+48221234567", OUR_ACCOUNT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Document:
    """One invoice as KSeF holds it; `bought`: we are its buyer."""

    seed: int
    companies: int
    entry: Entry
    bought: bool = False

    @property
    def of(self) -> business.Invoice:
        if self.bought:
            return purchase(self.seed, self.entry.number, self.companies)
        found = invoice(self.seed, self.entry.number, self.companies)
        if found is None:
            raise ValueError(f"there is no document {self.entry.number}")
        return found

    def metadata(self, xml: bytes) -> dict[str, object]:
        """InvoiceMetadata of the OpenAPI description: doubles, VAT always in zlotys, seven fractional digits."""
        of, stored = self.of, self.entry.modified
        seller, buyer = self._parties
        known: dict[str, object] = {
            "ksefNumber": self.entry.key,
            "invoiceNumber": of.reference,
            "issueDate": f"{of.issued}",
            "invoicingDate": _ticks(stored - timedelta(seconds=9)),
            "acquisitionDate": _ticks(stored - timedelta(seconds=3)),
            "permanentStorageDate": _ticks(stored),
            "seller": {"nip": seller.nip, "name": seller.name},
            "buyer": {
                "identifier": {"type": "Nip" if is_nip(buyer.nip) else "Other", "value": buyer.nip},
                "name": buyer.name,
            },
            "netAmount": float(of.order.net),
            "grossAmount": float(of.order.gross),
            "vatAmount": float(sum((self._zlotys(line.vat) for line in of.order.lines), Decimal(0))),
            "currency": of.order.currency,
            "invoicingMode": "Online",
            "invoiceType": "Vat" if of.corrects is None else "Kor",
            "formCode": {"systemCode": "FA (3)", "schemaVersion": "1-0E", "value": "FA"},
            "isSelfInvoicing": False,
            "hasAttachment": False,
            "invoiceHash": sha256(xml),
            "thirdSubjects": [],
        }
        if self.entry.broken == "amount_not_a_number":
            known["netAmount"] = "do uzgodnienia"
        return known

    def xml(self) -> bytes:
        """The invoice, valid against the schema unless it is broken on purpose."""
        of, order = self.of, self.of.order
        seller, buyer = self._parties
        issued = "2025-02-30" if self.entry.broken == "xml_invalid" else f"{of.issued}"
        made = max(self.entry.modified - timedelta(minutes=1), _FIRST_FORM)
        bomb = _BOMB if self.entry.broken == "xml_bomb" else ""
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?>{bomb}<Faktura xmlns="{NAMESPACE}">'
            '<Naglowek><KodFormularza kodSystemowy="FA (3)" wersjaSchemy="1-0E">FA</KodFormularza>'
            f"<WariantFormularza>3</WariantFormularza><DataWytworzeniaFa>{made:%Y-%m-%dT%H:%M:%SZ}</DataWytworzeniaFa>"
            "<SystemInfo>Onefold sandbox</SystemInfo></Naglowek>"
            f"<Podmiot1>{seller.described}</Podmiot1><Podmiot2>{buyer.described}<JST>2</JST><GV>2</GV></Podmiot2>"
            f"<Fa><KodWaluty>{order.currency}</KodWaluty><P_1>{issued}</P_1><P_1M>Warszawa</P_1M>"
            f"<P_2>{of.reference}</P_2><P_6>{order.day}</P_6>{''.join(self._totals())}<P_15>{order.gross}</P_15>"
            "<Adnotacje><P_16>2</P_16><P_17>2</P_17><P_18>2</P_18><P_18A>2</P_18A><Zwolnienie><P_19N>1</P_19N></Zwolnienie>"
            "<NoweSrodkiTransportu><P_22N>1</P_22N></NoweSrodkiTransportu><P_23>2</P_23>"
            "<PMarzy><P_PMarzyN>1</P_PMarzyN></PMarzy></Adnotacje>"
            f"{self._kind()}{''.join(self._rows())}"
            f"<Platnosc><TerminPlatnosci><Termin>{of.due}</Termin></TerminPlatnosci>"
            f"<FormaPlatnosci>{TRANSFER}</FormaPlatnosci>"
            f"<RachunekBankowy><NrRB>{seller.account}</NrRB></RachunekBankowy></Platnosc>"
            f"<WarunkiTransakcji><Zamowienia><DataZamowienia>{order.day}</DataZamowienia>"
            f"<NrZamowienia>{order.reference}</NrZamowienia></Zamowienia></WarunkiTransakcji></Fa></Faktura>"
        )
        return text.encode()

    @property
    def _parties(self) -> tuple[Party, Party]:
        """Seller and buyer."""
        other = _party(self.seed, self.of.order.company)
        return (other, US) if self.bought else (US, other)

    def _totals(self) -> Iterator[str]:
        """Net and tax by rate, the tax of a foreign currency in zlotys too."""
        order = self.of.order
        for rate, place in _PLACES.items():
            lines = [line for line in order.lines if line.vat_rate == rate]
            if lines:
                net, vat = sum(line.net for line in lines), sum(line.vat for line in lines)
                yield f"<P_13_{place}>{net}</P_13_{place}><P_14_{place}>{vat}</P_14_{place}>"
                if order.currency != "PLN":
                    zlotys = sum(self._zlotys(line.vat) for line in lines)
                    yield f"<P_14_{place}W>{zlotys}</P_14_{place}W>"

    def _kind(self) -> str:
        of = self.of
        if of.corrects is None:
            return "<RodzajFaktury>VAT</RodzajFaktury>"
        original = business.invoice(self.seed, of.corrects, companies=self.companies)
        return (
            "<RodzajFaktury>KOR</RodzajFaktury><PrzyczynaKorekty>Zwrot towaru</PrzyczynaKorekty>"
            f"<TypKorekty>2</TypKorekty><DaneFaKorygowanej><DataWystFaKorygowanej>{original.issued}"
            f"</DataWystFaKorygowanej><NrFaKorygowanej>{original.reference}</NrFaKorygowanej><NrKSeF>1</NrKSeF>"
            f"<NrKSeFFaKorygowanej>{ksef_number(2 * of.corrects)}</NrKSeFFaKorygowanej></DaneFaKorygowanej>"
        )

    def _rows(self) -> Iterator[str]:
        order = self.of.order
        rate = f"<KursWaluty>{self._rate}</KursWaluty>" if order.currency != "PLN" else ""
        for place, line in enumerate(order.lines, start=1):
            product = business.product(self.seed, line.product)
            yield (
                f"<FaWiersz><NrWierszaFa>{place}</NrWierszaFa><UU_ID>{self.entry.number}-{place}</UU_ID>"
                f"<P_7>{product.name}</P_7><Indeks>{product.sku}</Indeks><GTIN>{product.ean}</GTIN>"
                f"<P_8A>{product.unit}</P_8A><P_8B>{line.quantity}</P_8B><P_9A>{line.net_price}</P_9A>"
                f"<P_11>{line.net}</P_11><P_12>{line.vat_rate}</P_12>{rate}</FaWiersz>"
            )

    @property
    def _rate(self) -> Decimal:
        """NBP's average rate of the last working day before the invoice (art. 31a of the VAT act)."""
        days = range(nbp.rows(0) // len(nbp.CURRENCIES))
        before = bisect_left(days, self.of.issued, key=lambda place: nbp.day_of(place * len(nbp.CURRENCIES))) - 1
        return nbp.average(self.seed, max(before, 0) * len(nbp.CURRENCIES) + _CURRENCY)

    def _zlotys(self, amount: Decimal) -> Decimal:
        return amount if self.of.order.currency == "PLN" else (amount * self._rate).quantize(business.CENT)


def sha256(content: bytes) -> str:
    """The hash as KSeF writes it."""
    return b64encode(hashlib.sha256(content).digest()).decode()


@lru_cache(65536)
def _party(seed: int, company_id: int) -> Party:
    at = company(seed, company_id)
    street = f"{at.street} {at.house_no}" + (f"/{at.flat_no}" if at.flat_no else "")
    account = bank_account(seed, company_id, 0)
    return Party(at.nip, at.name, street, f"{at.postal_code} {at.city}", at.email, at.phone, account)


def _ticks(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.0000007+00:00"
