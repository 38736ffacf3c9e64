"""The part of SAP's API_BUSINESS_PARTNER (OData v2) that the sandbox serves: entity types and their metadata.

Names, types and lengths are those of the public EDMX of API_BUSINESS_PARTNER, sap:content-version 1.
"""

from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

NAMESPACE = "API_BUSINESS_PARTNER"


@dataclass(frozen=True, slots=True)
class Property:
    name: str
    type: str = "Edm.String"
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class EntityType:
    """One entity type; `navigations` maps a navigation property to the entity set that it leads to."""

    name: str
    keys: tuple[str, ...]
    properties: tuple[Property, ...]
    navigations: tuple[tuple[str, str], ...] = ()

    @property
    def by_name(self) -> dict[str, Property]:
        return {prop.name: prop for prop in self.properties}


def _text(name: str, max_length: int) -> Property:
    return Property(name, "Edm.String", max_length)


PARTNER = EntityType(
    "A_BusinessPartnerType",
    ("BusinessPartner",),
    (
        _text("BusinessPartner", 10),
        _text("Customer", 10),
        _text("Supplier", 10),
        _text("BusinessPartnerCategory", 1),
        _text("BusinessPartnerFullName", 81),
        _text("BusinessPartnerGrouping", 4),
        _text("BusinessPartnerName", 81),
        _text("CorrespondenceLanguage", 2),
        _text("CreatedByUser", 12),
        Property("CreationDate", "Edm.DateTime"),
        Property("CreationTime", "Edm.Time"),
        Property("LastChangeDate", "Edm.DateTime"),
        Property("LastChangeTime", "Edm.Time"),
        _text("LastChangedByUser", 12),
        _text("LegalForm", 2),
        _text("OrganizationBPName1", 40),
        _text("OrganizationBPName2", 40),
        _text("OrganizationBPName3", 40),
        _text("OrganizationBPName4", 40),
        _text("SearchTerm1", 20),
        _text("SearchTerm2", 20),
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
        _text("BusinessPartner", 10),
        _text("AddressID", 10),
        _text("AddressTimeZone", 6),
        _text("CityName", 40),
        _text("Country", 3),
        _text("FullName", 80),
        _text("HouseNumber", 10),
        _text("HouseNumberSupplementText", 10),
        _text("Language", 2),
        _text("POBox", 10),
        _text("PostalCode", 10),
        _text("Region", 3),
        _text("StreetName", 60),
    ),
    (("to_EmailAddress", "A_AddressEmailAddress"), ("to_PhoneNumber", "A_AddressPhoneNumber")),
)
EMAIL = EntityType(
    "A_AddressEmailAddressType",
    ("AddressID", "Person", "OrdinalNumber"),
    (
        _text("AddressID", 10),
        _text("Person", 10),
        _text("OrdinalNumber", 3),
        Property("IsDefaultEmailAddress", "Edm.Boolean"),
        _text("EmailAddress", 241),
        _text("SearchEmailAddress", 20),
    ),
)
PHONE = EntityType(
    "A_AddressPhoneNumberType",
    ("AddressID", "Person", "OrdinalNumber"),
    (
        _text("AddressID", 10),
        _text("Person", 10),
        _text("OrdinalNumber", 3),
        _text("DestinationLocationCountry", 3),
        Property("IsDefaultPhoneNumber", "Edm.Boolean"),
        _text("PhoneNumber", 30),
        _text("PhoneNumberExtension", 10),
        _text("InternationalPhoneNumber", 30),
        _text("PhoneNumberType", 1),
    ),
)
TAX = EntityType(
    "A_BusinessPartnerTaxNumberType",
    ("BusinessPartner", "BPTaxType"),
    (
        _text("BusinessPartner", 10),
        _text("BPTaxType", 4),
        _text("BPTaxNumber", 20),
        _text("BPTaxLongNumber", 60),
        _text("AuthorizationGroup", 4),
    ),
)
ENTITY_SETS: dict[str, EntityType] = {
    "A_BusinessPartner": PARTNER,
    "A_BusinessPartnerAddress": ADDRESS,
    "A_AddressEmailAddress": EMAIL,
    "A_AddressPhoneNumber": PHONE,
    "A_BusinessPartnerTaxNumber": TAX,
}
SERVED = ("A_BusinessPartner", "A_BusinessPartnerAddress")  # the sets that can be read by themselves


def _entity_type(entity: EntityType) -> str:
    keys = "".join(f'<PropertyRef Name="{key}"/>' for key in entity.keys)
    lines = [f'<EntityType Name="{entity.name}" sap:content-version="1">', f"<Key>{keys}</Key>"]
    for prop in entity.properties:
        nullable = ' Nullable="false"' if prop.name in entity.keys else ""
        length = f' MaxLength="{prop.max_length}"' if prop.max_length else ""
        precision = ' Precision="0"' if prop.type in ("Edm.DateTime", "Edm.Time") else ""
        display = ' sap:display-format="Date"' if prop.type == "Edm.DateTime" else ""
        attributes = f"{nullable}{length}{precision}{display}"
        lines.append(f'<Property Name="{prop.name}" Type="{prop.type}"{attributes}/>')
    for name, _ in entity.navigations:
        role = f"assoc_{entity.name}_{name}"
        lines.append(
            f'<NavigationProperty Name="{name}" Relationship="{NAMESPACE}.{role}" '
            f'FromRole="FromRole_{role}" ToRole="ToRole_{role}"/>'
        )
    return "\n".join([*lines, "</EntityType>"])


def _associations(entity: EntityType, entity_set: str) -> tuple[str, str]:
    kinds, sets = [], []
    for name, target in entity.navigations:
        role = f"assoc_{entity.name}_{name}"
        kinds.append(
            f'<Association Name="{role}">'
            f'<End Type="{NAMESPACE}.{entity.name}" Multiplicity="1" Role="FromRole_{role}"/>'
            f'<End Type="{NAMESPACE}.{ENTITY_SETS[target].name}" Multiplicity="*" Role="ToRole_{role}"/>'
            "</Association>"
        )
        sets.append(
            f'<AssociationSet Name="{role}Set" Association="{NAMESPACE}.{role}">'
            f'<End EntitySet="{entity_set}" Role="FromRole_{role}"/>'
            f'<End EntitySet="{target}" Role="ToRole_{role}"/>'
            "</AssociationSet>"
        )
    return "\n".join(kinds), "\n".join(sets)


def metadata(service_url: str) -> str:
    """The EDMX document of the service at this URL."""
    types = "\n".join(_entity_type(entity) for entity in ENTITY_SETS.values())
    pairs = [_associations(entity, name) for name, entity in ENTITY_SETS.items() if entity.navigations]
    sets = "\n".join(
        f'<EntitySet Name="{name}" EntityType="{NAMESPACE}.{entity.name}" sap:content-version="1"/>'
        for name, entity in ENTITY_SETS.items()
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"
 xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"
 xmlns:sap="http://www.sap.com/Protocols/SAPData">
<edmx:DataServices m:DataServiceVersion="2.0">
<Schema Namespace="{NAMESPACE}" xml:lang="en" sap:schema-version="1"
 xmlns="http://schemas.microsoft.com/ado/2008/09/edm">
{types}
{"".join(kinds for kinds, _ in pairs)}
<EntityContainer Name="{NAMESPACE}_Entities" m:IsDefaultEntityContainer="true"
 sap:supported-formats="atom json">
{sets}
{"".join(ends for _, ends in pairs)}
</EntityContainer>
<atom:link rel="self" href={quoteattr(f"{service_url}/$metadata")} xmlns:atom="http://www.w3.org/2005/Atom"/>
</Schema>
</edmx:DataServices>
</edmx:Edmx>
"""
