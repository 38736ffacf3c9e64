"""The mapping against the sandbox's world: what it broke on purpose is not understood, everything else is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.reader import read_catalog
from onefold.mapping.sql import unmapped_sql
from sandbox.krs.extract import current_extract
from sandbox.regon.reports import search_row
from sandbox.world.records import STREAMS, SourceRecord, System
from sandbox.world.world import World


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
