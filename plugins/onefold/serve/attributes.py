"""What a register's record says in the words of an entity: by the rules of the mapping catalogue, as a load's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.entity import Entity
from onefold.catalog.reader import Catalog
from onefold.mapping.sql import literal, rule_sql
from onefold.serve.json_text import decode

ENTITIES = frozenset({"company", "beneficial_owner"})
"""What the API answers from."""


@dataclass(frozen=True)
class EntityRules:
    """The rules of an entity, and which of its attributes are personal."""

    catalog: Catalog
    name: str

    @property
    def entity(self) -> Entity:
        return self.catalog.entities[self.name]

    @cached_property
    def always_personal(self) -> list[str]:
        """Attributes that are about people, whosever company it is."""
        return [
            name
            for name, attribute in self.entity.attributes.items()
            if attribute.personal not in ("none", "organisation")
        ]

    @cached_property
    def personal_of_persons(self) -> list[str]:
        """Attributes that are personal where the company is a natural person."""
        return [name for party in self.entity.parties for name in (*party.attributes, *party.address)]

    def trust(self, attribute: str) -> Sequence[str]:
        """The systems that give the attribute, the most trusted first."""
        spec = self.entity.attributes[attribute]
        order = spec.trust or self.entity.trust
        giving = {source.partition(".")[0] for source in spec.sources}
        return [system for system in order if system in giving]

    def mapped(self, warehouse: psycopg.Connection[Any], source: str, record: bytes) -> dict[str, Any]:
        """The attributes that a record of the stream (system.stream) gives; none that it does not understand."""
        query = sql.SQL(self._query(source)) + sql.SQL(" from (select ") + sql.Literal(Jsonb(decode(record)))
        row = warehouse.execute(query + sql.SQL(" as _payload offset 0) as given")).fetchone()
        found: dict[str, Any] = row[0] if row else {}
        return found

    def _query(self, source: str) -> Any:
        system, _, stream = source.partition(".")
        read = self.catalog.systems[system].streams[stream]
        rules = {
            name: rule_sql(attribute.sources[source], read)
            for name, attribute in self.entity.attributes.items()
            if source in attribute.sources
        }
        pairs = ", ".join(f"{literal(name)}, {rule}" for name, rule in rules.items())
        found = f"select jsonb_strip_nulls(jsonb_build_object({pairs}))"
        if "legal_name" in rules:
            is_natural = f"conformed.is_natural_person({rules['legal_name']}, {rules.get('krs', 'null')})"
            found += f" || jsonb_build_object('natural_person', {is_natural})"
        return f"{found} as found"

    def split(self, found: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """What everybody may see of the attributes, and what is personal."""
        hidden = {*self.always_personal, *(self.personal_of_persons if found.get("natural_person") else ())}
        shown = {name: value for name, value in found.items() if name not in hidden}
        return shown, {name: value for name, value in found.items() if name in hidden}
