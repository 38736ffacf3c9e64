"""A tax number of another country in a field for Polish ones keeps nobody out."""

from __future__ import annotations

import psycopg
import pytest

from tests.mapping.test_registers import mapped


@pytest.mark.parametrize(
    ("entity", "source", "field", "country"),
    [
        ("customer", "salesforce.account", "NIP__c", "BillingCountry"),
        ("customer", "erp.klient", "nip", "kraj"),
        ("supplier", "erp.dostawca", "nip", "kraj"),
        ("purchase_invoice", "accounting.account_entry", "nip_dostawcy", None),
        ("invoice", "erp.faktura", "nip_nabywcy", None),
    ],
)
def test_a_tax_number_of_another_country_is_no_broken_polish_one(
    entity: str, source: str, field: str, country: str | None, server: psycopg.Connection
) -> None:
    abroad = ["DE811569869", "de 811 569 869", "GB 123 4567 89", "CHE-123.456.789 MWST", "ATU12345678", "ESX1234567X"]
    wrong = ["5272889008", "PL5272889008", "NIP 5272889008", "NIP: 527-288-90-08", "brak"]
    records: list[dict[str, str | None]] = [{field: number} for number in [*abroad, *wrong, "PL 527-288-90-07", ""]]
    records += [{field: "12-3456789", country: where} for where in ("USA", "Polska", None)] if country else []
    found = mapped(server, entity, source, records)
    name = next(name for name in ("tax_id_pl", "supplier_tax_id", "customer_tax_id") if name in found[0])
    rule = f"{entity}.{name}<-"
    unknown = [rule in str(each["unmapped"]) for each in found]
    expected = [False] * len(abroad) + [True] * len(wrong) + [False, False] + ([False, True, True] if country else [])
    assert unknown == expected
    assert [each[name] for each in found if each[name]] == ["5272889007"]
