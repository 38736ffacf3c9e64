"""A user of the CRM makes a customer, through the API that a user's own programs have."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import requests

from sandbox.salesforce.writes import FIRST_NUMBER
from sandbox.stand_in import Happened
from sandbox.world.identifiers import nip
from sandbox.world.words import CITIES, STREETS, SURNAMES

ACCOUNTS = "/services/data/v60.0/sobjects/Account"
TOKEN = "/services/oauth2/token"
SECONDS = 30


def make_customer(url: str, sign_in: tuple[str | None, str | None]) -> Happened:
    """A new account at this address of the org: a company of which no other system knows. Raises
    requests.RequestException."""
    made = random.Random()
    number = made.randrange(FIRST_NUMBER, 10 * FIRST_NUMBER)  # of no company of any world
    city, _, postal, area = made.choice(CITIES)
    account = {
        "Name": f"{made.choice(SURNAMES)} {number} Sp. z o.o.",
        "NIP__c": nip(number),
        "Email__c": f"biuro@firma{number}.example",
        "Phone": f"({area}) {made.randrange(200, 999)} {made.randrange(10, 99)} {made.randrange(10, 99)}",
        "BillingStreet": f"ul. {made.choice(STREETS)} {made.randrange(1, 200)}/{made.randrange(1, 90)}",
        "BillingPostalCode": f"{postal}-{made.randrange(1000):03d}",
        "BillingCity": city,
        "BillingCountry": "Polska",
        "Status__c": "Active",
        "CurrencyIsoCode": "PLN",
        "CreditLimit__c": 0,
    }
    given = {"grant_type": "client_credentials", "client_id": sign_in[0], "client_secret": sign_in[1]}
    token = requests.post(url + TOKEN, data=given, timeout=SECONDS)
    token.raise_for_status()
    bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
    answer = requests.post(url + ACCOUNTS, json=account, headers=bearer, timeout=SECONDS)
    answer.raise_for_status()
    return Happened("salesforce", "account", answer.json()["id"], datetime.now(UTC))
