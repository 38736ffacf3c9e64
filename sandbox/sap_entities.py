"""SAP's entities out of the world's records, and how verbose JSON shows them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.odata import Value, in_wire_form
from sandbox.sap_model import ENTITY_SETS, NAMESPACE
from sandbox.world import SourceRecord

LEGAL_FORMS = {"sp_zoo": "01", "sa": "02", "spk": "03", "spj": "04", "jdg": "05"}
Entity = dict[str, Value]


@dataclass(slots=True)
class Row:
    """A business partner as it was when the paging began; spelled out only when somebody looks."""

    record: SourceRecord
    modified: datetime
    deleted: bool

    @property
    def address_id(self) -> str:
        return f"{int(self.record.key) + 20_000:010d}"

    def get(self, name: str) -> Value:
        """A property of the partner; the change stamp's two fields and the key without spelling the rest."""
        match name:
            case "BusinessPartner":
                return self.record.key
            case "LastChangeDate":
                return _midnight(self.modified)
            case "LastChangeTime":
                return self.modified - _midnight(self.modified)
            case "IsMarkedForArchiving":
                return self.deleted
        return self.partner()[name]

    def partner(self) -> Entity:
        record, view = self.record, self.record.partner
        full_name = f"{view.name1} {view.name2}".strip()
        return {
            "BusinessPartner": record.key,
            "Customer": record.key,
            "Supplier": "",
            "BusinessPartnerCategory": "2",
            "BusinessPartnerFullName": full_name,
            "BusinessPartnerGrouping": "BP02",
            "BusinessPartnerName": full_name,
            "CorrespondenceLanguage": "",
            "CreatedByUser": "MIGRACJA",
            "CreationDate": _midnight(record.created),
            "CreationTime": record.created - _midnight(record.created),
            "LastChangeDate": _midnight(self.modified),
            "LastChangeTime": self.modified - _midnight(self.modified),
            "LastChangedByUser": "KSIEGOWOSC",
            "LegalForm": LEGAL_FORMS.get(record.company.form, ""),
            "OrganizationBPName1": view.name1,
            "OrganizationBPName2": view.name2,
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
                        "DestinationLocationCountry": "PL",
                        "IsDefaultPhoneNumber": True,
                        "PhoneNumber": view.phone,
                        "PhoneNumberExtension": "",
                        "InternationalPhoneNumber": view.phone_international,
                        "PhoneNumberType": "1",
                    }
                ]
        return []


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shape:
    """What of each entity is shown: $select and $expand, and the URL that entities are named by."""

    service_url: str
    select: frozenset[str]
    expand: frozenset[str]

    def shown(self, row: Row, entity_set: str, entity: Entity, prefix: str = "") -> dict[str, object]:
        """The entity in verbose JSON. As in OData 2.0, a $select also decides which expansions are shown."""
        kind = ENTITY_SETS[entity_set]
        keys = ",".join(f"{key}='{entity[key]}'" for key in kind.keys)
        uri = f"{self.service_url}/{entity_set}({keys if len(kind.keys) > 1 else keys.partition('=')[2]})"
        about: dict[str, str] = {"id": uri, "uri": uri, "type": f"{NAMESPACE}.{kind.name}"}
        if entity_set == "A_BusinessPartner":
            about["etag"] = f"W/\"'{row.modified:%Y%m%d%H%M%S}'\""
        answer: dict[str, object] = {"__metadata": about}
        for name, value in entity.items():
            if self._selected(prefix + name):
                answer[name] = in_wire_form(value)
        for name, target in kind.navigations:
            if not self._selected(prefix + name):
                continue
            if prefix + name in self.expand:
                related = row.related(name)
                shown = [self.shown(row, target, found, f"{prefix}{name}/") for found in related]
                answer[name] = {"results": shown}
            else:
                answer[name] = {"__deferred": {"uri": f"{uri}/{name}"}}
        return answer

    def _selected(self, path: str) -> bool:
        """Whether $select names the path, something above it, or something below it."""
        if not self.select or path in self.select:
            return True
        return any(path.startswith(f"{chosen}/") or chosen.startswith(f"{path}/") for chosen in self.select)
