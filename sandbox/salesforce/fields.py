"""What the fields of each record say: contacts, opportunities, products, orders and their items."""

from __future__ import annotations

from datetime import date, datetime

from sandbox.world import Entry, World
from sandbox.world.abroad import SEATS
from sandbox.world.business import has_article_number, order, own_number, product
from sandbox.world.crm import contact, opportunity
from sandbox.world.identifiers import salesforce_id
from sandbox.world.parts import left
from sandbox.world.share import share

Value = str | float | bool | datetime | None
Fields = dict[str, Value]
STATUSES = {
    "new": "Draft", "confirmed": "Activated", "shipped": "Shipped", "completed": "Completed", "cancelled": "Cancelled",
}  # fmt: skip
CONTACT_ABROAD_SHARE = 0.05
PARENTS = {"Order": "801", "Product2": "01t"}


def _day(of: date) -> str:
    return of.isoformat()


def is_abroad(number: int) -> bool:
    """Whether the contact with this number is in another country than its account."""
    return share("contact abroad", number) < CONTACT_ABROAD_SHARE


def contact_fields(world: World, entry: Entry, revision: int) -> Fields:
    person = contact(world.seed, entry.number, revision)
    broken = entry.broken
    account = world.record("salesforce", salesforce_id(person.company * 2))
    country, phone = None, person.phone
    if is_abroad(person.number):
        country, *_, phone = SEATS[person.number % len(SEATS)]
    return {
        "AccountId": salesforce_id(person.company * 2),
        "FirstName": person.first_name,
        "LastName": None if broken == "name_missing" else person.last_name,
        "Name": f"{person.first_name} {person.last_name}",
        "Email": person.email.replace("@", " at ") if broken == "email_malformed" else person.email,
        "Phone": phone,
        "MailingCountry": country,
        "Account.BillingCountry": account.fields.get("BillingCountry") if account else None,
        "MobilePhone": person.mobile,
        "Title": person.position,
        "Department": None,
    }


def opportunity_fields(world: World, entry: Entry, revision: int) -> Fields:
    chance = opportunity(world.seed, entry.number, revision, companies=world.base_size)
    broken = entry.broken
    return {
        "AccountId": salesforce_id(chance.company * 2),
        "Name": chance.name,
        "StageName": "Wishful" if broken == "stage_unknown" else chance.stage,
        "Amount": -1.0 if broken == "amount_negative" else float(chance.amount),
        "Probability": float(chance.probability),
        "CloseDate": _day(chance.close),
        "IsClosed": chance.stage.startswith("Closed"),
        "IsWon": chance.stage == "Closed Won",
        "LeadSource": chance.source,
        "CurrencyIsoCode": chance.currency,
    }


def product_fields(world: World, entry: Entry, revision: int) -> Fields:
    goods = product(world.seed, entry.number, revision)
    broken = entry.broken
    return {
        "Name": None if broken == "name_missing" else goods.name,
        "ProductCode": goods.sku,
        "StockKeepingUnit": goods.sku if has_article_number(goods.number) else None,
        "EAN__c": goods.ean,
        "Family": "Towary",
        "QuantityUnitOfMeasure": goods.unit,
        "ListPrice__c": -1.0 if broken == "price_negative" else float(goods.net_price),
        "VatRate__c": float(goods.vat_rate),
        "CurrencyIsoCode": goods.currency,
        "IsActive": goods.active,
    }


def order_fields(world: World, entry: Entry, revision: int) -> Fields:
    of = order(world.seed, entry.number, revision, companies=world.base_size)
    broken = entry.broken
    return {
        "OrderNumber": own_number(of.number),
        "AccountId": salesforce_id(of.company * 2),
        "PoNumber": of.po_number,
        "EffectiveDate": "2026-02-30" if broken == "date_impossible" else _day(of.day),
        "Status": "Zombie" if broken == "status_unknown" else STATUSES[of.status],
        "Type": "Standard",
        "TotalAmount": float(sum(line.net for line in of.lines[: left(len(of.lines), revision)])),
        "CurrencyIsoCode": of.currency,
    }


def item_fields(world: World, number: int, place: int, broken: str | None) -> Fields:
    of = order(world.seed, number, companies=world.base_size)
    line = of.lines[place]
    goods = product(world.seed, line.product)
    return {
        "OrderItemNumber": f"{number * 8 + place + 1:010d}",
        "OrderId": order_id(number),
        "Order.OrderNumber": own_number(number),
        "Order.PoNumber": of.po_number,
        "Product2Id": product_id(line.product),
        "Product2.StockKeepingUnit": goods.sku if has_article_number(goods.number) else None,
        "Quantity": 0.0 if broken == "quantity_zero" else float(line.quantity),
        "UnitPrice": float(line.net_price),
        "TotalPrice": None if broken == "price_missing" else float(line.net),
        "VatRate__c": float(line.vat_rate),
        "CurrencyIsoCode": of.currency,
    }


def order_id(number: int) -> str:
    return salesforce_id(number, PARENTS["Order"])


def product_id(number: int) -> str:
    return salesforce_id(number, PARENTS["Product2"])
