"""What an OData service of SAP is made of: entity types, entity sets and the rows in them; and its metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from xml.sax.saxutils import quoteattr

from sandbox.world import World

Value = str | bool | datetime | timedelta | Decimal | None
Entity = dict[str, Value]


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


@dataclass(slots=True)
class Row:
    """A row as it was when the paging began; spelled out only when somebody looks.

    Attributes:
        known: properties that can be had without spelling the rest.
        spell: gives the whole entity.
        related: gives the entities that a navigation property leads to, from this entity or from one below it.
        etag: the entity's version; None where it has none.
    """

    known: Mapping[str, Value]
    spell: Callable[[], Entity]
    related: Callable[[str], list[Entity]]
    etag: str | None = None
    _entity: Entity | None = None

    @property
    def entity(self) -> Entity:
        if self._entity is None:
            self._entity = self.spell()
        return self._entity

    def get(self, name: str) -> Value:
        return self.known[name] if name in self.known else self.entity[name]


@dataclass(frozen=True, slots=True)
class Service:
    """One OData service: its path, its entity sets, and those that can be read by themselves with their rows, as they
    were after advance number `sequence`. `written`: those that can be written, and what the world calls what was
    written there."""

    path: str
    namespace: str
    sets: Mapping[str, EntityType]
    served: Mapping[str, Callable[[World, int], Iterator[Row]]]
    written: Mapping[str, str] = field(default_factory=dict)


def text(name: str, max_length: int) -> Property:
    return Property(name, "Edm.String", max_length)


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _entity_type(entity: EntityType, namespace: str) -> str:
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
            f'<NavigationProperty Name="{name}" Relationship="{namespace}.{role}" '
            f'FromRole="FromRole_{role}" ToRole="ToRole_{role}"/>'
        )
    return "\n".join([*lines, "</EntityType>"])


def _associations(entity: EntityType, entity_set: str, service: Service) -> tuple[str, str]:
    kinds, sets = [], []
    for name, target in entity.navigations:
        role = f"assoc_{entity.name}_{name}"
        kinds.append(
            f'<Association Name="{role}">'
            f'<End Type="{service.namespace}.{entity.name}" Multiplicity="1" Role="FromRole_{role}"/>'
            f'<End Type="{service.namespace}.{service.sets[target].name}" Multiplicity="*" Role="ToRole_{role}"/>'
            "</Association>"
        )
        sets.append(
            f'<AssociationSet Name="{role}Set" Association="{service.namespace}.{role}">'
            f'<End EntitySet="{entity_set}" Role="FromRole_{role}"/>'
            f'<End EntitySet="{target}" Role="ToRole_{role}"/>'
            "</AssociationSet>"
        )
    return "\n".join(kinds), "\n".join(sets)


def metadata(service: Service, service_url: str) -> str:
    """The EDMX document (OData v2) of the service at this URL."""
    types = "\n".join(_entity_type(entity, service.namespace) for entity in service.sets.values())
    pairs = [_associations(entity, name, service) for name, entity in service.sets.items() if entity.navigations]
    sets = "\n".join(
        f'<EntitySet Name="{name}" EntityType="{service.namespace}.{entity.name}" sap:content-version="1"/>'
        for name, entity in service.sets.items()
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"
 xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"
 xmlns:sap="http://www.sap.com/Protocols/SAPData">
<edmx:DataServices m:DataServiceVersion="2.0">
<Schema Namespace="{service.namespace}" xml:lang="en" sap:schema-version="1"
 xmlns="http://schemas.microsoft.com/ado/2008/09/edm">
{types}
{"".join(kinds for kinds, _ in pairs)}
<EntityContainer Name="{service.namespace}_Entities" m:IsDefaultEntityContainer="true"
 sap:supported-formats="atom json">
{sets}
{"".join(ends for _, ends in pairs)}
</EntityContainer>
<atom:link rel="self" href={quoteattr(f"{service_url}/$metadata")} xmlns:atom="http://www.w3.org/2005/Atom"/>
</Schema>
</edmx:DataServices>
</edmx:Edmx>
"""
