"""A million companies, made as they are needed: about 600 bytes of JSON each, 18 fields, Polish text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from onefold.catalog.system import System

PAGE = 2000
FIELDS = {
    "Id": "text",
    "Name": "text",
    "NIP": "text",
    "REGON": "text",
    "KRS": "text",
    "Email": "text",
    "Phone": "text",
    "Street": "text",
    "City": "text",
    "PostalCode": "text",
    "Country": "text",
    "Status": "text",
    "CreditLimit": "numeric",
    "Currency": "text",
    "Description": "text",
    "Created": "timestamp",
    "Changed": "timestamp",
    "IsDeleted": "boolean",
}
SYSTEM = System.model_validate(
    {
        "system": "bench",
        "title": "A million companies",
        "protocol": "rest",
        "connection": "bench",
        "schedule": "0 * * * *",
        "streams": {
            "company": {
                "title": "Companies",
                "records": "records",
                "primary_key": ["Id"],
                "cursor": {"fields": ["Changed"]},
                "deletes": {"flag": {"field": "IsDeleted"}},
                "fields": FIELDS,
            }
        },
    }
)
STREAM = SYSTEM.streams["company"]


def record(number: int, changed: bool = False) -> bytes:
    """The company of this number; `changed` gives its later version."""
    return msgspec.json.encode(
        {
            "Id": f"001{number:015d}",
            "Name": f"Przedsiębiorstwo Usługowo-Handlowe „Żółw” {number} Sp. z o.o.",
            "NIP": f"{5_000_000_000 + number}",
            "REGON": f"{100_000_000 + number}",
            "KRS": f"{number:010d}",
            "Email": f"biuro{number}@example.pl",
            "Phone": f"+48 22 {number % 1000:03d} {number % 100:02d} 11",
            "Street": f"ul. Świętokrzyska {number % 200}/{number % 30}",
            "City": "Wrocław",
            "PostalCode": f"{number % 90 + 10}-{number % 900 + 100}",
            "Country": "Polska",
            "Status": "Inactive" if changed else "Active",
            "CreditLimit": float(number % 100_000),
            "Currency": "PLN",
            "Description": "Spółka prowadzi działalność handlową i usługową na terenie całego kraju oraz za granicą",
            "Created": "2024-03-01T10:11:12.000+0000",
            "Changed": f"2026-0{4 if changed else 3}-{number % 28 + 1:02d}T10:{number % 60:02d}:00.000+0000",
            "IsDeleted": False,
        }
    )


def records(rows: int, changed_every: int | None = None) -> Iterator[bytes]:
    """`rows` companies; with changed_every=100, every hundredth in its later version."""
    for number in range(rows):
        yield record(number, changed_every is not None and number % changed_every == 0)


def pages(rows: int, changed_every: int | None = None) -> Iterator[bytes]:
    """The same as a REST API sends them: bodies of PAGE records each."""
    every = records(rows, changed_every)
    while page := list(islice(every, PAGE)):
        yield b'{"totalSize":%d,"done":false,"records":[%s]}' % (rows, b",".join(page))
