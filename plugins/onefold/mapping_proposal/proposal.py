"""The proposals for a system: for each field of its streams the attributes that it could be, the likeliest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.mapping_proposal.catalogue import Bag, Catalogue, Known, field_words
from onefold.mapping_proposal.features import FieldEvidence, Support, support, with_references
from onefold.mapping_proposal.field_values import read_records, read_values
from onefold.mapping_proposal.known_values import MappedTable, Overlap, overlaps
from onefold.mapping_proposal.references import references
from onefold.mapping_proposal.stream_entity import EntityFit, Supports, entity_fits
from onefold.mapping_proposal.words import meanings
from onefold.warehouse.tables import StagingTable

ELSEWHERE = 1.5
"""What it costs an attribute to be of another entity than the stream's, by how much worse that one fits."""
MENTIONED = 0.3
"""What it costs at most where the field's name says the other entity (a refund's charge_status)."""
TAKEN = 0.3
"""What it costs that another field fits the attribute better, by how much better."""
SURE, SURE_OF_ENTITY = 1.5, 1.8
"""The field's lead and the stream's fit from which a proposal calls itself sure."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An attribute that a field could be."""

    known: Known
    support: Support
    score: float


@dataclass(frozen=True, slots=True)
class FieldProposal:
    """The attributes that a field could be, the likeliest first."""

    field: FieldEvidence
    candidates: tuple[Candidate, ...]
    entity: EntityFit

    @property
    def sure(self) -> bool:
        return self.lead >= SURE and self.entity.score >= SURE_OF_ENTITY

    @property
    def first(self) -> Candidate:
        return self.candidates[0]

    @property
    def lead(self) -> float:
        """The first candidate's score, and by how much it leads, which counts up to a half."""
        return self.first.score + min(0.5, self.first.score - self.candidates[1].score)


@dataclass(frozen=True, slots=True)
class StreamProposal:
    """The entities that a stream's records could be, the likeliest first, and its fields."""

    name: str
    stream: Stream
    entities: tuple[EntityFit, ...]
    fields: Mapping[str, FieldProposal]

    @property
    def entity(self) -> EntityFit:
        return self.entities[0]


def read_evidence(
    connection: psycopg.Connection,
    system: System,
    tables: list[MappedTable],
    relations: Mapping[str, sql.Composable],
    records: Mapping[str, int],
) -> dict[str, dict[str, FieldEvidence]]:
    """What is known of each field of the streams in `relations` (with _key, _payload and _deleted), by stream.

    Reads at most so many `records` of each; all that it writes are temporary tables of the open transaction.
    """
    single = {name: each for name, each in relations.items() if len(system.streams[name].primary_key) == 1}
    found: dict[str, dict[str, FieldEvidence]] = {}
    for name, relation in relations.items():
        stream = system.streams[name]
        read_records(connection, relation, records[name])
        values = read_values(connection, stream)
        known: defaultdict[str, defaultdict[str, list[Overlap]]] = defaultdict(lambda: defaultdict(list))
        for each in overlaps(connection, tables):
            known[each.field][f"{each.entity}.{each.attribute}"].append(each)
        types = {field: source.type for field, source in stream.fields.items()}
        paths = {field: source.path or "" for field, source in stream.fields.items()}
        referring = references(connection, name, single, stream.primary_key, dict(types), paths)
        found[name] = {
            field: FieldEvidence(
                field,
                source,
                values[field],
                known[field],
                [each for each in referring if each.field == field],
                field in stream.primary_key,
                len(stream.primary_key),
                field_words(field, source.path or ""),
            )
            for field, source in stream.fields.items()
        }
    return found


def staged(system: System) -> dict[str, sql.Composable]:
    """The current records of each stream of the system, in staging."""
    return {name: StagingTable(system.system, name).current for name in system.streams}


def propose(
    catalogue: Catalogue, system: System, evidence: Mapping[str, Mapping[str, FieldEvidence]]
) -> dict[str, StreamProposal]:
    """The proposals for each stream of which there is evidence.

    First which entity each is of, for that decides what the fields are that refer to it.
    """
    supports: dict[str, Supports] = {
        name: {
            (field, known.full_name): support(catalogue, known, each, frozenset(meanings(name)))
            for field, each in fields.items()
            for known in catalogue.attributes
        }
        for name, fields in evidence.items()
    }
    entity_of = {
        name: entity_fits(catalogue, name, system.streams[name], fields, supports[name])[0].entity
        for name, fields in evidence.items()
    }
    return {
        name: _stream(
            catalogue, name, system.streams[name], fields, _referring(catalogue, fields, supports[name], entity_of)
        )
        for name, fields in evidence.items()
    }


def _referring(
    catalogue: Catalogue, fields: Mapping[str, FieldEvidence], supports: Supports, entity_of: Mapping[str, str]
) -> Supports:
    records = {known.full_name: known for known in catalogue.attributes if known.attribute.references}
    return {
        (field, name): with_references(records[name], fields[field], found, entity_of)
        if name in records and fields[field].references
        else found
        for (field, name), found in supports.items()
    }


def _stream(
    catalogue: Catalogue, name: str, stream: Stream, fields: Mapping[str, FieldEvidence], supports: Supports
) -> StreamProposal:
    words = frozenset(meanings(name))
    fits = entity_fits(catalogue, name, stream, fields, supports)
    costs = {
        field: {fit.entity: _cost(fits[0], fit, each, frozenset(meanings(fit.entity)), words) for fit in fits}
        for field, each in fields.items()
    }
    scores = {
        (field, known.full_name): supports[field, known.full_name].score - costs[field][known.entity]
        for field in fields
        for known in catalogue.attributes
    }
    best = {known.full_name: max(scores[field, known.full_name] for field in fields) for known in catalogue.attributes}
    proposals = {}
    for field, each in fields.items():
        candidates = []
        for known in catalogue.attributes:
            score = scores[field, known.full_name]
            better = min(1.0, best[known.full_name] - score)
            candidates.append(Candidate(known, supports[field, known.full_name], score - TAKEN * better))
        candidates.sort(key=lambda candidate: -candidate.score)
        proposals[field] = FieldProposal(each, tuple(candidates[:6]), fits[0])
    return StreamProposal(name, stream, tuple(fits), proposals)


def _cost(first: EntityFit, fit: EntityFit, field: FieldEvidence, entity_words: Bag, stream_words: Bag) -> float:
    cost = ELSEWHERE * min(1.2, first.score - fit.score)
    mentioned = entity_words <= field.words and not entity_words <= stream_words
    return min(cost, MENTIONED) if mentioned else cost
