"""Mapping rules as SQL: reading fields, saying what is not understood, naming values for look-ups."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.entity import Rule
from onefold.catalog.fields import SourceField
from onefold.catalog.reader import read_catalog
from onefold.catalog.stream import Stream
from onefold.errors import Fatal
from onefold.load.staging import ensure_staging
from onefold.mapping.sql import field_sql, named_values_sql, rule_sql, transform_sql
from onefold.warehouse.tables import StagingTable
from tests.mapping.unmapped import unmapped_sql

RECORD = {
    "it's": "quoted",
    "a": {"b": {"c d": 1, "e": "deep"}},
    "taxes": {"results": [{"t": "x", "n": "1"}, {"t": "y", "n": "2"}]},
}


def _over(server: psycopg.Connection, expression: str, payload: Mapping[str, object]) -> object:
    """What the expression gives for a record."""
    query = sql.SQL("select {} from (select %s::jsonb as _payload) as given").format(sql.SQL(expression))
    return server.execute(query, [Jsonb(payload)]).fetchone()[0]


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("it's", None, "quoted"),
        ("e", "a.b.e", "deep"),
        ("c", "a.b.c d", "1"),
        ("n", '$.taxes.results[*] ? (@.t == "y").n', "2"),
        ("n", "$.taxes.results[7].n", None),
        ("n", "$.taxes.double()", None),
        ("gone", "a.x.e", None),
    ],
)
def test_a_field_is_read_where_its_path_says(
    name: str, path: str | None, value: str | None, server: psycopg.Connection
) -> None:
    assert _over(server, field_sql(name, SourceField(path=path)), RECORD) == value


def test_null_values_are_nothing_and_not_a_mistake(server: psycopg.Connection) -> None:
    stream = Stream(title="x", primary_key=["k"], fields={"k": "text"})
    rule = Rule(field="k", transform="krs", null_values=["0000000000", "---"])
    for given, then in (("---", None), ("0000000000 ", None), ("779880", "0000779880")):
        assert _over(server, rule_sql(rule, stream), {"k": given}) == then


def _unmapped(server: psycopg.Connection, system: str, stream: str, payload: dict[str, object]) -> object:
    catalog = read_catalog()
    expression = unmapped_sql(catalog.entities, system, stream, catalog.systems[system].streams[stream])
    return _over(server, expression, payload)


GOOD_ACCOUNT = {
    "Name": "Alfa S.A.",
    "NIP__c": "527-288-90-07",
    "Status__c": "Active",
    "BillingCountry": "Polska",
    "CreditLimit__c": 5.0,
}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("NIP__c", "5272889008", "customer.tax_id_pl<-NIP__c (nip)"),
        ("Status__c", "Zombie", "customer.status<-Status__c (code)"),
        ("BillingCountry", "Atlantyda", "customer.country<-BillingCountry (country_iso2)"),
        ("CreditLimit__c", "do uzgodnienia", "customer.credit_limit<-CreditLimit__c (numeric)"),
        ("BillingPostalCode", "ABCDE", "customer.postal_code<-BillingPostalCode (postal_code)"),
        ("SystemModstamp", "2026-02-30T00:00:00Z", "customer.last_changed<-SystemModstamp (timestamp_utc)"),
        ("KRS__c", "0000000000", None),
        ("NIP__c", "", None),
        ("NIP__c", None, None),
    ],
)
def test_a_value_no_mapping_knows_is_said_and_not_lost(
    field: str, value: str | None, said: str | None, server: psycopg.Connection
) -> None:
    assert _unmapped(server, "salesforce", "account", GOOD_ACCOUNT) is None
    assert _unmapped(server, "salesforce", "account", {**GOOD_ACCOUNT, field: value}) == said


def test_several_unknown_values_are_all_said(server: psycopg.Connection) -> None:
    broken = {**GOOD_ACCOUNT, "NIP__c": "1", "Status__c": "Zombie"}
    said = "customer.tax_id_pl<-NIP__c (nip), customer.status<-Status__c (code)"
    assert _unmapped(server, "salesforce", "account", broken) == said


def test_broken_rows_of_every_system_are_unmapped(server: psycopg.Connection) -> None:
    partner = {
        "to_BusinessPartnerTax": {"results": [{"BPTaxType": "PL1", "BPTaxNumber": "52728B9007"}]},
        "to_BusinessPartnerAddress": {"results": [{"Country": "XX"}]},
    }
    assert _unmapped(server, "sap", "business_partner", partner) == (
        "customer.tax_id_pl<-nip (nip), customer.country<-country (country_iso2)"
    )
    entity = {"Regon": "010334579", "KodPocztowy": "ABCDE"}
    assert _unmapped(server, "regon", "entity", entity) == (
        "company.regon<-Regon (regon), company.postal_code<-KodPocztowy (postal_code), "
        "customer.regon<-Regon (regon), customer.postal_code<-KodPocztowy (postal_code)"
    )
    extract = {"odpis": {"naglowekA": {"numerKRS": "0000779880", "dataOstatniegoWpisu": "31.02.2024"}}}
    assert _unmapped(server, "krs", "extract", extract) == (
        "company.last_changed<-dataOstatniegoWpisu (timestamp_pl), "
        "customer.last_changed<-dataOstatniegoWpisu (timestamp_pl)"
    )


def test_look_ups_are_asked_about_what_the_other_systems_name(loader: psycopg.Connection) -> None:
    catalog = read_catalog()
    for source in catalog.entities["customer"].streams:
        ensure_staging(loader, StagingTable(*source.split(".")))
    accounts = [
        ("1", "779880", False),
        ("2", "KRS 0000779880", False),
        ("3", "0000000000", False),
        ("4", "33391", True),
    ]
    for key, number, deleted in accounts:
        loader.execute(
            "insert into staging.salesforce__account (_key, _hash, _payload, _deleted, _load_id, _extracted_at) "
            "values (%s, '', %s, %s, 1, now())",
            [key, Jsonb({"KRS__c": number}), deleted],
        )
    query = named_values_sql(catalog.entities, catalog.systems, "customer.krs", except_system="krs")
    assert loader.execute(query.encode()).fetchall() == [("0000779880",)]


def test_a_wrong_name_says_what_there_is() -> None:
    catalog = read_catalog()
    with pytest.raises(Fatal, match=r"there is no transform 'nipp'; there are: .*nip"):
        transform_sql("nipp", "x")
    with pytest.raises(Fatal, match=r"transform nip takes \(value\) and was given 2"):
        transform_sql("nip", "x", "y")
    with pytest.raises(Fatal, match="not an attribute in catalog/entities"):
        named_values_sql(catalog.entities, catalog.systems, "customer.shoe_size")
