"""Which stream gives which attribute of which entity: by the catalogue where it is mapped, else by what is proposed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.catalog.entity import Rule
from onefold.catalog.reader import Catalog
from onefold.mapping_proposal.catalogue import read_catalogue
from onefold.mapping_proposal.field_values import RECORDS
from onefold.mapping_proposal.known_values import mapped_tables
from onefold.mapping_proposal.proposal import SURE_OF_ENTITY, propose, read_evidence
from onefold.mapping_proposal.rules import rules


@dataclass(frozen=True, slots=True)
class EntitySource:
    """A stream that gives an entity, with the rules for its attributes; `proposed` where the catalogue has none."""

    entity: str
    system: str
    stream: str
    rules: Mapping[str, Rule]
    proposed: bool = False

    @property
    def source(self) -> str:
        return f"{self.system}.{self.stream}"


def entity_sources(
    connection: psycopg.Connection, catalog: Catalog, relations: Mapping[str, Mapping[str, sql.Composable]]
) -> list[EntitySource]:
    """Of the streams of which there are records, by system and stream: the entities that they give.

    Everything that it writes are temporary tables of the open transaction.
    """
    found = [each for each in _mapped(catalog) if each.stream in relations.get(each.system, {})]
    mapped = {each.source for each in found}
    for system, streams in relations.items():
        unmapped = {name for name in streams if f"{system}.{name}" not in mapped}
        if not unmapped:
            continue
        of = catalog.systems[system]
        evidence = read_evidence(
            connection,
            of,
            mapped_tables(connection, catalog.entities, without=system),
            {name: relation for name, relation in streams.items() if name in unmapped},
            dict.fromkeys(streams, RECORDS),
        )
        proposals = propose(read_catalogue(catalog.entities, catalog.systems, system), of, evidence)
        answer = rules(system, proposals, catalog.entities, {name: {} for name in proposals})
        for name, proposal in proposals.items():
            if proposal.entity.score >= SURE_OF_ENTITY:
                sure = {
                    each.attribute: each.rule
                    for each in answer.rules
                    if each.source == f"{system}.{name}" and each.entity == proposal.entity.entity
                }
                found.append(EntitySource(proposal.entity.entity, system, name, sure, proposed=True))
    return found


def _mapped(catalog: Catalog) -> list[EntitySource]:
    by_source: defaultdict[tuple[str, str], dict[str, Rule]] = defaultdict(dict)
    for entity in catalog.entities.values():
        for name, attribute in entity.attributes.items():
            for source, rule in attribute.sources.items():
                by_source[entity.entity, source][name] = rule
    return [
        EntitySource(entity, source.partition(".")[0], source.partition(".")[2], found)
        for (entity, source), found in by_source.items()
    ]
