"""SAP's API_BUSINESS_PARTNER (OData v2): the part of it that the sandbox serves.

Names, types and lengths are those of the public EDMX of API_BUSINESS_PARTNER, sap:content-version 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

from sandbox.sap.model import Entity, EntityType, Property, Row, Service, midnight, text
from sandbox.sap.written import Stamps, empty, written_row
from sandbox.world import SourceRecord, World
from sandbox.world.words import FIRST_NAMES, SURNAMES

LEGAL_FORMS = {"sp_zoo": "01", "sa": "02", "spk": "03", "spj": "04", "jdg": "05"}

PARTNER = EntityType(
    "A_BusinessPartnerType",
    ("BusinessPartner",),
    (
        text("BusinessPartner", 10),
        text("Customer", 10),
        text("Supplier", 10),
        text("BusinessPartnerCategory", 1),
        text("BusinessPartnerFullName", 81),
        text("BusinessPartnerGrouping", 4),
        text("BusinessPartnerIDByExtSystem", 20),
        text("BusinessPartnerName", 81),
        Property("BirthDate", "Edm.DateTime"),
        text("CorrespondenceLanguage", 2),
        text("CreatedByUser", 12),
        Property("CreationDate", "Edm.DateTime"),
        Property("CreationTime", "Edm.Time"),
        text("FirstName", 40),
        text("LastName", 40),
        Property("LastChangeDate", "Edm.DateTime"),
        Property("LastChangeTime", "Edm.Time"),
        text("LastChangedByUser", 12),
        text("LegalForm", 2),
        text("OrganizationBPName1", 40),
        text("OrganizationBPName2", 40),
        text("OrganizationBPName3", 40),
        text("OrganizationBPName4", 40),
        text("SearchTerm1", 20),
        text("SearchTerm2", 20),
        Property("BusinessPartnerIsBlocked", "Edm.Boolean"),
        Property("IsMarkedForArchiving", "Edm.Boolean"),
    ),
    (
        ("to_BusinessPartnerAddress", "A_BusinessPartnerAddress"),
        ("to_BusinessPartnerTax", "A_BusinessPartnerTaxNumber"),
    ),
)
ADDRESS = EntityType(
    "A_BusinessPartnerAddressType",
    ("BusinessPartner", "AddressID"),
    (
        text("BusinessPartner", 10),
        text("AddressID", 10),
        text("AddressTimeZone", 6),
        text("CityName", 40),
        text("Country", 3),
        text("FullName", 80),
        text("HouseNumber", 10),
        text("HouseNumberSupplementText", 10),
        text("Language", 2),
        text("POBox", 10),
        text("PostalCode", 10),
        text("Region", 3),
        text("StreetName", 60),
    ),
    (("to_EmailAddress", "A_AddressEmailAddress"), ("to_PhoneNumber", "A_AddressPhoneNumber")),
)
EMAIL = EntityType(
    "A_AddressEmailAddressType",
    ("AddressID", "Person", "OrdinalNumber"),
    (
        text("AddressID", 10),
        text("Person", 10),
        text("OrdinalNumber", 3),
        Property("IsDefaultEmailAddress", "Edm.Boolean"),
        text("EmailAddress", 241),
        text("SearchEmailAddress", 20),
    ),
)
PHONE = EntityType(
    "A_AddressPhoneNumberType",
    ("AddressID", "Person", "OrdinalNumber"),
    (
        text("AddressID", 10),
        text("Person", 10),
        text("OrdinalNumber", 3),
        text("DestinationLocationCountry", 3),
        Property("IsDefaultPhoneNumber", "Edm.Boolean"),
        text("PhoneNumber", 30),
        text("PhoneNumberExtension", 10),
        text("InternationalPhoneNumber", 30),
        text("PhoneNumberType", 1),
    ),
)
TAX = EntityType(
    "A_BusinessPartnerTaxNumberType",
    ("BusinessPartner", "BPTaxType"),
    (
        text("BusinessPartner", 10),
        text("BPTaxType", 4),
        text("BPTaxNumber", 20),
        text("BPTaxLongNumber", 60),
        text("AuthorizationGroup", 4),
    ),
)
ENTITY_SETS: dict[str, EntityType] = {
    "A_BusinessPartner": PARTNER,
    "A_BusinessPartnerAddress": ADDRESS,
    "A_AddressEmailAddress": EMAIL,
    "A_AddressPhoneNumber": PHONE,
    "A_BusinessPartnerTaxNumber": TAX,
}
WRITTEN = "sap.A_BusinessPartner"
STAMPS = Stamps(("CreationDate", "CreationTime"), ("LastChangeDate", "LastChangeTime"))
EMPTY: Entity = empty(PARTNER) | {"BirthDate": None, "CreatedByUser": "ONEFOLD"}


@dataclass(frozen=True, slots=True)
class State:
    """A business partner in one state."""

    record: SourceRecord
    modified: datetime
    deleted: bool

    @property
    def address_id(self) -> str:
        return f"{int(self.record.key) + 20_000:010d}"

    @property
    def stamps(self) -> Entity:
        """When it was made and last changed; one in twenty has no date of change until it is changed."""
        never = not self.record.past and _chance(self.record) % 20 == 0
        created = self.modified if never else self.record.created
        return {
            "CreationDate": midnight(created),
            "CreationTime": created - midnight(created),
            "LastChangeDate": None if never else midnight(self.modified),
            "LastChangeTime": timedelta() if never else self.modified - midnight(self.modified),
        }

    def partner(self) -> Entity:
        record, view = self.record, self.record.partner
        first_name, last_name = _person(record)
        name1, name2 = ("", "") if last_name else (view.name1, view.name2)
        full_name = f"{first_name} {last_name}" if last_name else f"{view.name1} {view.name2}".strip()
        return {
            "BusinessPartner": record.key,
            "Customer": record.key,
            "Supplier": "",
            "BusinessPartnerCategory": "1" if last_name else "2",
            "BusinessPartnerFullName": full_name,
            "BusinessPartnerGrouping": "BP02",
            "BusinessPartnerIDByExtSystem": "",
            "BusinessPartnerName": full_name,
            "BirthDate": None,
            "CorrespondenceLanguage": "",
            "CreatedByUser": "MIGRACJA",
            **self.stamps,
            "FirstName": first_name,
            "LastName": last_name,
            "LastChangedByUser": "KSIEGOWOSC",
            "LegalForm": LEGAL_FORMS.get(record.company.form, ""),
            "OrganizationBPName1": name1,
            "OrganizationBPName2": name2,
            "OrganizationBPName3": "",
            "OrganizationBPName4": "",
            "SearchTerm1": view.name1[:20].upper(),
            "SearchTerm2": "",
            "BusinessPartnerIsBlocked": view.blocked,
            "IsMarkedForArchiving": self.deleted,
        }

    def address(self) -> Entity:
        view = self.record.partner
        return {
            "BusinessPartner": self.record.key,
            "AddressID": self.address_id,
            "AddressTimeZone": "CET",
            "CityName": view.city,
            "Country": view.country,
            "FullName": f"{view.name1} {view.name2}".strip(),
            "HouseNumber": view.house_no,
            "HouseNumberSupplementText": view.supplement,
            "Language": view.language,
            "POBox": "",
            "PostalCode": view.postal_code,
            "Region": view.region,
            "StreetName": view.street,
        }

    def related(self, navigation: str) -> list[Entity]:
        """The entities that a navigation property leads to."""
        view, contact = (
            self.record.partner,
            {"AddressID": self.address_id, "Person": "", "OrdinalNumber": "1"},
        )
        match navigation:
            case "to_BusinessPartnerAddress":
                return [self.address()]
            case "to_BusinessPartnerTax":
                return [
                    {
                        "BusinessPartner": self.record.key,
                        "BPTaxType": kind,
                        "BPTaxNumber": number,
                        "BPTaxLongNumber": "",
                        "AuthorizationGroup": "",
                    }
                    for kind, number in view.taxes
                ]
            case "to_EmailAddress" if view.email:
                search = view.email.upper()[:20]
                email = {
                    "IsDefaultEmailAddress": True,
                    "EmailAddress": view.email,
                    "SearchEmailAddress": search,
                }
                return [{**contact, **email}]
            case "to_PhoneNumber" if view.phone:
                return [
                    {
                        **contact,
                        "DestinationLocationCountry": view.country,
                        "IsDefaultPhoneNumber": True,
                        "PhoneNumber": view.phone,
                        "PhoneNumberExtension": "",
                        "InternationalPhoneNumber": view.phone_international,
                        "PhoneNumberType": "1",
                    }
                ]
        return []


def _chance(record: SourceRecord) -> int:
    return crc32(record.key.encode())


def _person(record: SourceRecord) -> tuple[str, str]:
    """First name and surname of a sole trader whom a clerk made a person, not an organisation; else nothing."""
    known = any(kind == "PL1" for kind, _ in record.partner.taxes)
    if record.company.form != "jdg" or record.broken or not known or _chance(record) % 4:
        return "", ""
    chance = _chance(record) // 4
    return FIRST_NAMES[chance % len(FIRST_NAMES)], SURNAMES[chance // 97 % len(SURNAMES)]


def _partners(world: World, sequence: int) -> Iterator[Row]:
    written = world.written.rows(WRITTEN)
    for state in _states(world, sequence):
        if over := written.get(state.record.key):
            yield written_row(ENTITY_SETS, "A_BusinessPartner", over, state.partner(), state.related, STAMPS)
            continue
        known = {"BusinessPartner": state.record.key, **state.stamps, "IsMarkedForArchiving": state.deleted}
        yield Row(known, state.partner, state.related, f"W/\"'{state.modified:%Y%m%d%H%M%S}'\"")
    for row in written.values():
        if not row.base:
            yield written_row(ENTITY_SETS, "A_BusinessPartner", row, EMPTY, lambda _: [], STAMPS)


def _taxes(world: World, sequence: int) -> Iterator[Row]:
    for partner in _partners(world, sequence):
        for tax in partner.related("to_BusinessPartnerTax"):
            yield Row(tax, lambda tax=tax: tax, lambda _: [])


def _addresses(world: World, sequence: int) -> Iterator[Row]:
    for state in _states(world, sequence):
        yield Row({"BusinessPartner": state.record.key}, state.address, state.related)


def _states(world: World, sequence: int) -> Iterator[State]:
    for record in world.records("sap"):
        if (state := record.state_at(sequence)) is not None:
            yield State(record, *state)


BUSINESS_PARTNER = Service(
    "/sap/opu/odata/sap/API_BUSINESS_PARTNER",
    "API_BUSINESS_PARTNER",
    ENTITY_SETS,
    {
        "A_BusinessPartner": _partners,
        "A_BusinessPartnerAddress": _addresses,
        "A_BusinessPartnerTaxNumber": _taxes,
    },
    written={"A_BusinessPartner": WRITTEN},
)
