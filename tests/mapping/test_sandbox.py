"""The mapping against the sandbox's world: what it broke on purpose is not understood, everything else is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.reader import read_catalog
from sandbox.krs.extract import current_extract
from sandbox.regon.reports import search_row
from sandbox.world.abroad import SEATS
from sandbox.world.records import STREAMS, SourceRecord, System
from sandbox.world.world import World
from tests.mapping.asking import transformed
from tests.mapping.unmapped import unmapped_sql


def _business_partner(record: SourceRecord) -> dict[str, object]:
    view = record.partner
    contacts = {
        "to_EmailAddress": {"results": [{"EmailAddress": view.email}] if view.email else []},
        "to_PhoneNumber": {"results": [{"PhoneNumber": view.phone}] if view.phone else []},
    }
    address = {
        "StreetName": view.street,
        "HouseNumber": view.house_no,
        "HouseNumberSupplementText": view.supplement,
        "PostalCode": view.postal_code,
        "CityName": view.city,
        "Country": view.country,
    }
    taxes = [{"BPTaxType": kind, "BPTaxNumber": number} for kind, number in view.taxes]
    return {
        "OrganizationBPName1": view.name1,
        "OrganizationBPName2": view.name2,
        "BusinessPartnerIsBlocked": view.blocked,
        "LastChangeDate": "/Date(1492041600000)/",
        "LastChangeTime": "PT13H45M30S",
        "to_BusinessPartnerAddress": {"results": [{**address, **contacts}]},
        "to_BusinessPartnerTax": {"results": taxes},
    }


PAYLOADS: dict[System, Callable[[SourceRecord], object]] = {
    "salesforce": lambda record: record.fields,
    "sap": _business_partner,
    "krs": lambda record: current_extract(record, datetime(2026, 7, 1, tzinfo=UTC)),
    "regon": search_row,
}


@pytest.mark.parametrize("system", sorted(STREAMS))
def test_exactly_what_the_sandbox_broke_is_unmapped(system: System, server: psycopg.Connection) -> None:
    catalog = read_catalog()
    stream = STREAMS[system]
    records = [record for record in World(1500).records(system) if not record.deleted]
    expression = unmapped_sql(catalog.entities, system, stream, catalog.systems[system].streams[stream])
    query = sql.SQL(
        "select place, {} from unnest(%s::jsonb[]) with ordinality as given (_payload, place) order by place"
    ).format(sql.SQL(expression))
    payloads = [Jsonb(PAYLOADS[system](record)) for record in records]
    said = dict(server.execute(query, [payloads]).fetchall())
    unmapped = {record.key: said[place] for place, record in enumerate(records, 1) if said[place]}
    # A missing name is no value at all: the gate's suite sees to it, not the mapping.
    broken = {record.key: record.broken for record in records if record.broken not in (None, "name_missing")}
    assert unmapped.keys() == broken.keys(), {key: unmapped[key] for key in unmapped.keys() - broken.keys()}
    assert len(broken) > 0


def test_accounts_abroad_and_wordy_telephones_are_there_and_understood(server: psycopg.Connection) -> None:
    accounts = [record.fields for record in World(1500).records("salesforce") if not record.broken]
    countries = {seat[0] for seat in SEATS}
    abroad = [fields for fields in accounts if fields["BillingCountry"] in countries]
    wordy = [fields for fields in accounts if any(word in str(fields["Phone"]) for word in ("tel", "wew", "ext", ","))]
    assert (len(abroad) + len(wordy)) / len(accounts) >= 0.03
    given = [(seat[1], seat[0]) for seat in SEATS]
    codes = transformed(server, "postal_code", [[code] for code, _ in given], countries=[c for _, c in given])
    assert codes == [
        "10117", "80331", "75251", "SW1A 1AA", "M1 1AE", "94304-1355", "546080", "8001", "1010", "110 00", "1012 NX",
        "9614303", "2012", "01001", "00144", "00000",
    ]  # fmt: skip
    phones = [(str(fields["Phone"]), str(fields["BillingCountry"])) for fields in abroad + wordy if fields["Phone"]]
    numbers = transformed(server, "phone_e164", [[phone] for phone, _ in phones], countries=[c for _, c in phones])
    assert None not in numbers
