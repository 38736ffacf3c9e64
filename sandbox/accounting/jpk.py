"""JPK_FA(4), the audit file of invoices, as the accounting office drops it.

Wire: http://jpk.mf.gov.pl/wzor/2022/02/17/02171/, order of elements as in the Ministry's schema.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import lru_cache
from xml.sax.saxutils import escape

from sandbox.files.dropped_files import Batch, Dropped
from sandbox.world import Entry, World, business
from sandbox.world.company import Company, make_company

JPK = "http://jpk.mf.gov.pl/wzor/2022/02/17/02171/"
ETD = "http://crd.gov.pl/xml/schematy/dziedzinowe/mf/2018/08/24/eD/DefinicjeTypy/"


@lru_cache(65536)
def company(seed: int, number: int) -> Company:
    """The company as it was at first: what was once booked does not change its name."""
    return make_company(seed, number)


def jpk(world: World, batch: Batch) -> Dropped:
    """The file of these invoices."""

    def content() -> bytes:
        invoices = [business.invoice(world.seed, entry.number, companies=world.base_size) for entry in batch.entries]
        issued = [invoice.issued for invoice in invoices]
        rows = [_invoice(world, entry, each) for entry, each in zip(batch.entries, invoices, strict=True)]
        lines = [(invoice.reference, line) for invoice in invoices for line in invoice.order.lines]
        text = "".join(
            (
                (
                    f'<?xml version="1.0" encoding="UTF-8"?>\n<JPK xmlns="{JPK}" xmlns:etd="{ETD}">\n<Naglowek>'
                    '<KodFormularza kodSystemowy="JPK_FA (4)" wersjaSchemy="1-0">JPK_FA</KodFormularza>'
                    "<WariantFormularza>4</WariantFormularza><CelZlozenia>1</CelZlozenia>"
                ),
                _all(DataWytworzeniaJPK=f"{batch.modified:%Y-%m-%dT%H:%M:%SZ}", DataOd=min(issued), DataDo=max(issued)),
                "<KodUrzedu>1471</KodUrzedu></Naglowek>\n<Podmiot1><IdentyfikatorPodmiotu>",
                _all(NIP=business.OUR_NIP, PelnaNazwa=business.OUR_NAME),
                (
                    "</IdentyfikatorPodmiotu><AdresPodmiotu><etd:KodKraju>PL</etd:KodKraju>"
                    "<etd:Wojewodztwo>mazowieckie</etd:Wojewodztwo><etd:Powiat>Warszawa</etd:Powiat>"
                    "<etd:Gmina>Warszawa</etd:Gmina><etd:NrDomu>1</etd:NrDomu><etd:Miejscowosc>Warszawa</etd:Miejscowosc>"
                    "<etd:KodPocztowy>00-001</etd:KodPocztowy></AdresPodmiotu></Podmiot1>\n"
                ),
                *rows,
                "<FakturaCtrl>",
                _all(LiczbaFaktur=len(rows), WartoscFaktur=sum((each.order.gross for each in invoices), Decimal(0))),
                "</FakturaCtrl>\n",
                *(_jpk_line(world.seed, reference, line) for reference, line in lines),
                "<FakturaWierszCtrl>",
                _all(LiczbaWierszyFaktur=len(lines), WartoscWierszyFaktur=sum((ln.net for _, ln in lines), Decimal(0))),
                "</FakturaWierszCtrl>\n</JPK>\n",
            )
        )
        return text.encode()

    return Dropped(f"jpk/JPK_FA_{batch.number + 1:04d}{batch.suffix}.xml", batch.modified, content)


def _invoice(world: World, entry: Entry, invoice: business.Invoice) -> str:
    order, buyer = invoice.order, company(world.seed, invoice.order.company)
    net, vat = defaultdict[int, Decimal](Decimal), defaultdict[int, Decimal](Decimal)
    for line in order.lines:
        net[int(line.vat_rate)] += line.net
        vat[int(line.vat_rate)] += line.vat
    rates: dict[str, object] = {}
    for place, rate in enumerate((23, 8, 5), start=1):
        if rate in net:
            rates |= {f"P_13_{place}": net[rate], f"P_14_{place}": vat[rate]}
    flags = dict.fromkeys(("P_16", "P_17", "P_18", "P_18A", "P_19", "P_20", "P_21", "P_22", "P_23"), "false")
    inner = _all(
        KodWaluty="zł" if entry.broken == "currency_malformed" else order.currency,
        P_1=invoice.issued,
        P_2A=invoice.reference,
        P_3A=buyer.name,
        P_3B=f"{buyer.postal_code} {buyer.city}, {buyer.street} {buyer.house_no}",
        P_3C=business.OUR_NAME,
        P_3D="00-001 Warszawa 1",
        P_4B=business.OUR_NIP,
        P_5B=buyer.nip,
        P_6=order.day,
        **rates,
        P_15="sto złotych" if entry.broken == "total_malformed" else order.gross,
        **flags,
        P_106E_2="false",
        P_106E_3="false",
        RodzajFaktury="VAT",
    )
    return f"<Faktura>{inner}</Faktura>\n"


def _jpk_line(seed: int, reference: str, line: business.Line) -> str:
    goods = business.product(seed, line.product)
    inner = _all(
        P_2B=reference,
        P_7=goods.name,
        P_8A=goods.unit,
        P_8B=line.quantity,
        P_9A=line.net_price,
        P_11=line.net,
        P_12=int(line.vat_rate),
    )
    return f"<FakturaWiersz>{inner}</FakturaWiersz>\n"


def _all(**elements: object) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in elements.items())
