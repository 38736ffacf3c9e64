"""What the catalogue already says of its attributes: under which names other systems give them, by which transforms.

A system's own mapping never counts for its own fields: a proposal for it is the same whether it is mapped or not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from onefold.catalog.entity import Attribute, Entity, Rule
from onefold.catalog.system import System
from onefold.mapping_proposal.words import meanings, path_words

Bag = frozenset[str]
"""The meanings of a name's words."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A name under which an attribute is known, and who calls it so."""

    words: Bag
    said_by: str
    place: int = 0
    """Which of several fields, that together make the attribute, is called so."""


@dataclass(frozen=True, slots=True)
class Known:
    """An attribute of the catalogue, as all systems but one say it."""

    entity: str
    name: str
    attribute: Attribute
    aliases: tuple[Alias, ...]
    transforms: tuple[str, ...]
    """By which other systems give it, the most usual first; none where no other does."""
    is_record_key: bool
    """Whether the records' own primary key is it, as other systems' rules say, or its name where there are none."""

    @property
    def full_name(self) -> str:
        return f"{self.entity}.{self.name}"

    @property
    def systems(self) -> frozenset[str]:
        """The other systems that give it."""
        return frozenset(source.partition(".")[0] for source in self.attribute.sources)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The entities and their attributes, without what one system says of them."""

    entities: Mapping[str, Entity]
    known: Mapping[str, tuple[Known, ...]]
    weights: Mapping[str, float]
    namesakes: Mapping[str, tuple[str, ...]]
    """By the name of an attribute that is text: all of that name, as entity.attribute."""
    _likeness: dict[tuple[Bag, Bag], float] = field(default_factory=dict, compare=False)

    @property
    def attributes(self) -> Iterable[Known]:
        return (each for group in self.known.values() for each in group)

    def similarity(self, one: Bag, other: Bag) -> float:
        """How alike two names are, 0 to 1: Dice's coefficient of their meanings, each by how much it tells."""
        known = self._likeness.get((one, other))
        if known is None:
            total = self._sum(one) + self._sum(other)
            known = self._likeness[one, other] = 2 * self._sum(one & other) / total if total else 0.0
        return known

    def _sum(self, words: Bag) -> float:
        return sum(self.weights.get(word, 1.0) for word in words)


def without_system(entity: Entity, system: str) -> Entity:
    """The entity as if the system had never been mapped: without its sources, its examples, its place in the trust."""

    def left(attribute: Attribute) -> Attribute:
        sources = {name: rule for name, rule in attribute.sources.items() if name.partition(".")[0] != system}
        trust = attribute.trust and _without(attribute.trust, system)
        return attribute.model_copy(update={"sources": sources, "trust": trust})

    attributes = {name: left(attribute) for name, attribute in entity.attributes.items()}
    return entity.model_copy(update={"attributes": attributes, "trust": _without(entity.trust, system)})


def _without(names: Sequence[str], name: str) -> list[str]:
    return [each for each in names if each != name]


def read_catalogue(entities: Mapping[str, Entity], systems: Mapping[str, System], without: str) -> Catalogue:
    """What all systems but `without` say."""
    left = {name: without_system(entity, without) for name, entity in entities.items()}
    known = {
        name: tuple(_known(entity, each, attribute, systems) for each, attribute in entity.attributes.items())
        for name, entity in left.items()
    }
    every = [each for group in known.values() for each in group]
    namesakes = {
        name: tuple(each.full_name for each in every if each.name == name)
        for name in {each.name for each in every if each.attribute.type == "text"}
    }
    return Catalogue(left, known, _weights(every), namesakes)


def _known(entity: Entity, name: str, attribute: Attribute, systems: Mapping[str, System]) -> Known:
    aliases = [Alias(frozenset(meanings(name.removesuffix("_record"))), "its name")]
    for source, rule in attribute.sources.items():
        system, _, stream = source.partition(".")
        for place, each in enumerate(rule.fields):
            path = systems[system].streams[stream].fields[each].path or ""
            aliases += [Alias(bag, f"{source} calls it {each}", place) for bag in field_words(each, path)]
    counted = Counter(rule.transform for rule in attribute.sources.values())
    transforms = tuple(transform for transform, _ in counted.most_common())
    return Known(
        entity.entity,
        name,
        attribute,
        tuple(dict.fromkeys(aliases)),
        transforms,
        _is_key(entity, name, attribute, systems),
    )


def _is_key(entity: Entity, name: str, attribute: Attribute, systems: Mapping[str, System]) -> bool:
    if name not in entity.identity.attributes or attribute.references:
        return False
    if not attribute.sources:
        return name.endswith("_key")
    keys = sum(_reads_the_key(source, rule, systems) for source, rule in attribute.sources.items())
    return keys > len(attribute.sources) / 2


def _reads_the_key(source: str, rule: Rule, systems: Mapping[str, System]) -> bool:
    system, _, stream = source.partition(".")
    return set(rule.fields) == set(systems[system].streams[stream].primary_key)


def field_words(name: str, path: str) -> tuple[Bag, ...]:
    """The meanings of a field's name, and of the end of its path where that says something else."""
    own = frozenset(meanings(name))
    by_path = frozenset(meanings(path_words(path)))
    return (own, by_path) if by_path and by_path != own else (own,)


def _weights(attributes: Sequence[Known]) -> dict[str, float]:
    """How much a meaning tells: 1 where one attribute alone has it, less the more have it."""
    counted = Counter(word for each in attributes for word in frozenset().union(*(a.words for a in each.aliases)))
    most = math.log(len(attributes) + 1)
    return {word: max(0.15, 1 - math.log(count) / most) for word, count in counted.items()}
