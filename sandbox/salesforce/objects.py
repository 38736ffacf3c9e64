"""Salesforce's objects: what each is called, which fields it has, and where its rows come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sandbox.salesforce.fields import (
    Fields,
    Value,
    contact_fields,
    item_fields,
    opportunity_fields,
    order_fields,
    order_id,
    product_fields,
    product_id,
)
from sandbox.world import Book, Entry, Parts, World
from sandbox.world.accounts import timestamp
from sandbox.world.business import order, orders, products
from sandbox.world.identifiers import salesforce_id

DATES = ("CreatedDate", "LastModifiedDate", "SystemModstamp")
SYSTEM_FIELDS = ("Id", "IsDeleted", *DATES)


@dataclass(slots=True)
class Row:
    """A row as it was when the query began; its fields are spelled only when somebody looks."""

    object: str
    key: str
    created: datetime
    modified: datetime
    deleted: bool
    spell: Callable[[], Fields]
    _fields: Fields | None = None

    def get(self, name: str) -> Value:
        match name:
            case "Id":
                return self.key
            case "IsDeleted":
                return self.deleted
            case "CreatedDate":
                return self.created
            case "SystemModstamp" | "LastModifiedDate":
                return self.modified
        return self.fields.get(name)

    @property
    def fields(self) -> Fields:
        if self._fields is None:
            self._fields = self.spell()
        return self._fields

    def shown(self, fields: tuple[str, ...], version: str) -> dict[str, object]:
        """The row in JSON; a parent's field within the parent. A field that the record does not have is left out."""
        row: dict[str, object] = {"attributes": _attributes(version, self.object, self.key)}
        for name in fields:
            if name not in SYSTEM_FIELDS and name not in self.fields:
                continue
            value = self.get(name)
            parent, _, below = name.rpartition(".")
            if parent:
                shown = row.setdefault(
                    parent, {"attributes": _attributes(version, parent, str(self.get(f"{parent}Id")))}
                )
                shown[below] = value
            else:
                row[name] = timestamp(value) if isinstance(value, datetime) else value
        return row

    def line(self, fields: tuple[str, ...]) -> list[str]:
        """The row in a job's CSV: no nulls, no types, times with Z, large numbers as Java writes a double."""
        return [_text(self.get(name)) for name in fields]


def _attributes(version: str, name: str, key: str) -> dict[str, str]:
    return {"type": name, "url": f"/services/data/{version}/sobjects/{name}/{key}"}


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return timestamp(value).replace("+0000", "Z")
        case float() if abs(value) >= 1e7:
            mantissa, _, exponent = f"{value:.15E}".partition("E")
            digits = mantissa.rstrip("0")
            return f"{digits}0E{int(exponent)}" if digits.endswith(".") else f"{digits}E{int(exponent)}"
    return str(value)


@dataclass(frozen=True, slots=True)
class SObject:
    """One object: `rows` gives the rows of a world as they were after advance number `sequence`."""

    name: str
    fields: tuple[str, ...]
    rows: Callable[[World, int], Iterator[Row]]

    @property
    def spelling(self) -> dict[str, str]:
        """The fields by lower case: SOQL ignores case."""
        return {name.lower(): name for name in (*SYSTEM_FIELDS, *self.fields)}


def _accounts(world: World, sequence: int) -> Iterator[Row]:
    for record in world.records("salesforce"):
        state = record.state_at(sequence)
        if state is not None:
            yield Row("Account", record.key, record.created, *state, spell=lambda of=record: dict(of.fields))


def _in_book(
    name: str, book: Book, spell: Callable[[World, Entry, int], Fields]
) -> Callable[[World, int], Iterator[Row]]:
    def rows(world: World, sequence: int) -> Iterator[Row]:
        for entry in world.shelf(book.name).entries:
            if (state := entry.at(sequence)) is not None:
                modified, deleted, revision = state
                spelled = partial(spell, world, entry, revision)
                yield Row(name, str(entry.key), entry.created, modified, deleted, spelled)

    return rows


def _items(world: World, sequence: int) -> Iterator[Row]:
    for part in world.shelf(ORDER_ITEMS.name).entries:
        if (state := part.at(sequence)) is not None:
            yield Row(
                "OrderItem",
                str(part.key),
                part.parent.created,
                *state[:2],
                spell=lambda of=part: item_fields(world, of.number, of.place, of.broken),
            )


def _quarter(companies: int) -> int:
    return orders(companies) // 4


CONTACTS = Book(
    "salesforce", "contact", size=lambda companies: companies, key=lambda number: salesforce_id(number, "003"),
    broken=("name_missing", "email_malformed"),
)  # fmt: skip
OPPORTUNITIES = Book(
    "salesforce", "opportunity", size=_quarter, key=lambda number: salesforce_id(number, "006"),
    number=lambda place: place * 4, broken=("stage_unknown", "amount_negative"),
)  # fmt: skip
PRODUCTS = Book(
    "salesforce", "product", size=products, key=product_id, broken=("name_missing", "price_negative"),
)  # fmt: skip
ORDERS = Book(
    "salesforce", "order", size=_quarter, key=order_id, number=lambda place: place * 4,
    broken=("status_unknown", "date_impossible"),
)  # fmt: skip
ORDER_ITEMS = Parts(
    "salesforce", "order_item", of=ORDERS,
    count=lambda seed, number, companies: len(order(seed, number, companies=companies).lines),
    key=lambda number, place: salesforce_id(number * 8 + place, "802"),
    broken=("quantity_zero", "price_missing"),
)  # fmt: skip
BOOKS = (CONTACTS, OPPORTUNITIES, PRODUCTS, ORDERS, ORDER_ITEMS)
ACCOUNT_FIELDS = (
    "Name", "NIP__c", "REGON__c", "KRS__c", "Email__c", "Phone", "BillingStreet", "BillingCity", "BillingPostalCode",
    "BillingCountry", "Status__c", "CreditLimit__c", "CurrencyIsoCode", "OnefoldId__c",
)  # fmt: skip
CONTACT_FIELDS = (
    "AccountId", "FirstName", "LastName", "Name", "Email", "Phone", "MobilePhone", "Title", "Department",
    "MailingCountry", "Account.BillingCountry",
)  # fmt: skip
OPPORTUNITY_FIELDS = (
    "AccountId", "Name", "StageName", "Amount", "Probability", "CloseDate", "IsClosed", "IsWon", "LeadSource",
    "CurrencyIsoCode",
)  # fmt: skip
PRODUCT_FIELDS = (
    "Name", "ProductCode", "StockKeepingUnit", "EAN__c", "Family", "QuantityUnitOfMeasure", "ListPrice__c",
    "VatRate__c", "CurrencyIsoCode", "IsActive",
)  # fmt: skip
ORDER_FIELDS = (
    "OrderNumber", "AccountId", "PoNumber", "EffectiveDate", "Status", "Type", "TotalAmount", "CurrencyIsoCode",
)  # fmt: skip
ORDER_ITEM_FIELDS = (
    "OrderItemNumber", "OrderId", "Order.OrderNumber", "Order.PoNumber", "Product2Id", "Product2.StockKeepingUnit",
    "Quantity", "UnitPrice", "TotalPrice", "VatRate__c", "CurrencyIsoCode",
)  # fmt: skip
EXTERNAL_IDS = ("OnefoldId__c",)


def _written_over(name: str, rows: Callable[[World, int], Iterator[Row]]) -> Callable[[World, int], Iterator[Row]]:
    """The rows as they are after what was written."""

    def all_rows(world: World, sequence: int) -> Iterator[Row]:
        written = world.written.rows(f"salesforce.{name}")
        for row in rows(world, sequence):
            if over := written.get(row.key):
                modified, deleted = over.modified.replace(microsecond=0), over.deleted or row.deleted
                yield Row(name, row.key, row.created, modified, deleted, partial(_both, row, over.fields))
            else:
                yield row
        for new in written.values():
            if not new.base:
                created, modified = (at.replace(microsecond=0) for at in (new.created, new.modified))
                yield Row(name, new.key, created, modified, new.deleted, partial(dict, new.fields))

    return all_rows


def _both(row: Row, fields: Fields) -> Fields:
    return {**row.fields, **fields}


OBJECTS = {
    each.name.lower(): each
    for each in (
        SObject("Account", ACCOUNT_FIELDS, _written_over("Account", _accounts)),
        SObject("Contact", CONTACT_FIELDS, _in_book("Contact", CONTACTS, contact_fields)),
        SObject("Opportunity", OPPORTUNITY_FIELDS, _in_book("Opportunity", OPPORTUNITIES, opportunity_fields)),
        SObject("Product2", PRODUCT_FIELDS, _in_book("Product2", PRODUCTS, product_fields)),
        SObject("Order", ORDER_FIELDS, _in_book("Order", ORDERS, order_fields)),
        SObject("OrderItem", ORDER_ITEM_FIELDS, _items),
    )
}
