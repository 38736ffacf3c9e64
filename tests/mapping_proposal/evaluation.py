"""How good the proposals are: every system is left out in turn, and proposed as if it had never been mapped.

Nothing of the left-out system's mapping counts: neither its rules and examples, nor its place in the trust, nor the
values that it gave (mapped.*). The dictionary has words of the trade only (words.yaml).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onefold.catalog.entity import Entity
from onefold.mapping_proposal.proposal import StreamProposal


@dataclass(frozen=True, slots=True)
class Truth:
    """What a field is by the catalogue: all its attributes; whether another system gives one of them too, so that it
    could be known; and whether it is the first field of one of their rules."""

    attributes: frozenset[str]
    known: bool
    leading: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A field that was proposed, and what it is."""

    system: str
    stream: str
    field: str
    truth: Truth | None
    candidates: tuple[str, ...]
    sure: bool

    @property
    def first(self) -> bool:
        return self.truth is not None and self.candidates[0] in self.truth.attributes

    @property
    def among_three(self) -> bool:
        return self.truth is not None and not self.truth.attributes.isdisjoint(self.candidates[:3])


@dataclass(frozen=True, slots=True)
class Rates:
    """Over some fields, as fractions of them: the right attribute was the first, or among the first three; the
    assistant was sure, and right when it was."""

    fields: int
    first: float
    among_three: float
    sure: float
    right_when_sure: float


def truth(entities: Mapping[str, Entity]) -> dict[tuple[str, str], Truth]:
    """By system.stream and field, of the fields that are mapped."""
    attributes: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    known: set[tuple[str, str]] = set()
    leading: set[tuple[str, str]] = set()
    for entity in entities.values():
        for name, attribute in entity.attributes.items():
            systems = {source.partition(".")[0] for source in attribute.sources}
            for source, rule in attribute.sources.items():
                for place, field in enumerate(rule.fields):
                    attributes[source, field].add(f"{entity.entity}.{name}")
                    if len(systems) > 1:
                        known.add((source, field))
                        leading |= {(source, field)} if place == 0 else set()
    return {key: Truth(frozenset(each), key in known, key in leading) for key, each in attributes.items()}


def cases(
    system: str, proposals: Mapping[str, StreamProposal], truths: Mapping[tuple[str, str], Truth]
) -> Iterable[Case]:
    """Every field of the system's streams."""
    for stream, proposal in proposals.items():
        for field, each in proposal.fields.items():
            names = tuple(candidate.known.full_name for candidate in each.candidates)
            yield Case(system, stream, field, truths.get((f"{system}.{stream}", field)), names, each.sure)


def rates(judged: Iterable[Case]) -> Rates:
    """Over the fields; of none, all 1."""
    every = list(judged)
    sure = [case for case in every if case.sure]

    def share(part: int, of: int) -> float:
        return part / of if of else 1.0

    return Rates(
        len(every),
        share(sum(case.first for case in every), len(every)),
        share(sum(case.among_three for case in every), len(every)),
        share(len(sure), len(every)),
        share(sum(case.first for case in sure), len(sure)),
    )
