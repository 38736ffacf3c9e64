"""Who trades under their own name is erased with the company's name; a company that is no person stays."""

from __future__ import annotations

import msgspec

from onefold.connectors.record import Record
from tests.erasure.office import EMAIL, OTHER, Office, traces
from tests.load.shop import at

TRADER, COMPANY = "Zielony Zakątek", "Januszex Sp. z o.o."
SAID = (
    "select _key, _payload ->> 'displayName', _payload #>> '{defaultAddress,company}', _payload #>> '{nip,value}'"
    " from staging.shop__customer__current order by 1"
)


def customer(key: str, mail: str, name: str | None, *, shown: str, nip: str | None = None) -> Record:
    """A customer of the shop, of that company where there is one."""
    content = {
        "id": key,
        "displayName": shown,
        "firstName": "Jan",
        "lastName": "Nowy",
        "defaultEmailAddress": {"emailAddress": mail},
        "defaultPhoneNumber": None,
        "nip": {"value": nip} if nip else None,
        "defaultAddress": {"company": name, "address1": "Polna 1", "city": "Gdynia", "zip": "81-001"},
        "state": "ENABLED",
        "numberOfOrders": 1,
        "amountSpent": {"amount": "1.00", "currencyCode": "PLN"},
        "createdAt": at(0),
        "updatedAt": at(0),
    }
    return Record(key, None, False, msgspec.json.encode(content))


def test_a_sole_traders_company_goes_wherever_it_is_named_and_a_legal_persons_stays(
    office: Office, warehouse_url: str
) -> None:
    """The third buys for a company without its number; so does the fourth, who is somebody else."""
    customers = (
        customer("1", EMAIL, TRADER, shown=TRADER, nip="5270103391"),
        customer("2", EMAIL, None, shown=TRADER),
        customer("3", EMAIL, COMPANY, shown=COMPANY),
        customer("4", OTHER, "Pan Kwiatek", shown="Pan Kwiatek", nip="5260250274"),
    )
    office.load("shop.customer", *customers)
    before = office.query(SAID)
    plan = office.erase()
    assert plan.records == ("shop.customer 1", "shop.customer 2", "shop.customer 3")
    after = [("1", None, None, None), ("2", None, None, None), ("3", COMPANY, COMPANY, None), before[3]]
    assert office.query(SAID) == after
    office.load("shop.customer", *customers)
    assert office.query(SAID) == after
    assert traces(warehouse_url, (EMAIL, TRADER, "5270103391")) == []
