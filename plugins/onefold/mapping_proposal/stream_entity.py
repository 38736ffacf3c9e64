"""Which entity a stream's records are of: from its name and title, from what its fields could be, from identifiers that
other systems have too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onefold.catalog.stream import Stream
from onefold.mapping_proposal.catalogue import Bag, Catalogue, Known
from onefold.mapping_proposal.features import WEIGHTS, FieldEvidence, Support
from onefold.mapping_proposal.words import meanings

NAMED, FITTING, COVERED, SHARED = 0.8, 1.5, 1.0, 0.7
"""Weights: its name is like the entity's; its fields could be attributes; the attributes have a field; it has the
entity's identifiers in common with other systems."""

Supports = Mapping[tuple[str, str], Support]
"""By field and entity.attribute."""


@dataclass(frozen=True, slots=True)
class EntityFit:
    """How well a stream fits an entity: each part 0 to 1, and their sum by weight."""

    entity: str
    named: float
    fitting: float
    covered: float
    shared: float

    @property
    def score(self) -> float:
        return NAMED * self.named + FITTING * self.fitting + COVERED * self.covered + SHARED * self.shared


def entity_fits(
    catalogue: Catalogue, name: str, stream: Stream, fields: Mapping[str, FieldEvidence], supports: Supports
) -> list[EntityFit]:
    """Every entity, the best first."""
    titles = (frozenset(meanings(name)), frozenset(meanings(name)) | frozenset(meanings(_head(stream.title))))
    fits = []
    for entity in catalogue.entities:
        known = catalogue.known[entity]
        plausible = {
            (field, each.name): _plausible(supports[field, each.full_name]) for field in fields for each in known
        }
        fitting = [max(plausible[field, each.name] for each in known) for field in fields]
        weighed = [(max(0.5, len(each.systems)), each.name) for each in known]
        covered = sum(weight * max(plausible[field, each] for field in fields) for weight, each in weighed)
        fits.append(
            EntityFit(
                entity,
                _named(catalogue, entity, titles),
                sum(fitting) / len(fitting),
                covered / sum(weight for weight, _ in weighed),
                _shared(catalogue, entity, known, fields, supports),
            )
        )
    return sorted(fits, key=lambda fit: -fit.score)


def _head(title: str) -> str:
    """A title without what explains it."""
    for mark in (";", ",", "("):
        title = title.partition(mark)[0]
    return title


def _plausible(found: Support) -> float:
    """0 to 1: whether the field could be the attribute by its name, values and type."""
    said = found.reasons
    return max(0.0, min(1.0, said["name"] + 0.3 * said["understood"] + WEIGHTS["type"] * said["type"]))


def _named(catalogue: Catalogue, entity: str, titles: tuple[Bag, ...]) -> float:
    own = (frozenset(meanings(entity)), frozenset(meanings(catalogue.entities[entity].title.partition(";")[0])))
    others = [frozenset(meanings(source.partition(".")[2])) for source in catalogue.entities[entity].streams]
    likenesses = [catalogue.similarity(title, each) for title in titles for each in own]
    likenesses += [0.9 * catalogue.similarity(title, each) for title in titles for each in others]
    return max(likenesses)


def _shared(
    catalogue: Catalogue,
    entity: str,
    known: tuple[Known, ...],
    fields: Mapping[str, FieldEvidence],
    supports: Supports,
) -> float:
    """The greatest overlap of a field that tells the records apart with an identifier of the entity."""
    identifiers = set(catalogue.entities[entity].identity.attributes)
    return max(
        (
            supports[name, each.full_name].reasons["overlap"]
            for each in known
            if each.name in identifiers
            for name, field in fields.items()
            if field.values.filled and field.values.distinct > 0.8 * field.values.filled
        ),
        default=0.0,
    )
