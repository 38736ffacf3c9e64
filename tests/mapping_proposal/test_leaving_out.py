"""How good the proposals are: each system of the catalogue is left out in turn and proposed by what the others say.

What is left out: the system's rules and examples, its place in the trust, its values in mapped.*. What is judged: every
field of the catalogue. A field is *known* when another system gives one of its attributes, and *leading* when it is the
first or only field of the rule (not a house number that follows a street).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import psycopg
import pytest

from onefold.mapping_proposal import features
from onefold.mapping_proposal.catalogue import read_catalogue
from onefold.mapping_proposal.features import FieldEvidence
from onefold.mapping_proposal.known_values import mapped_tables
from onefold.mapping_proposal.proposal import propose, read_evidence, staged
from tests.acceptance.streams import CATALOG
from tests.mapping_proposal.conftest import LoadedWorld
from tests.mapping_proposal.evaluation import Case, cases, rates, truth

pytestmark = pytest.mark.torture
RECORDS = 400
TRUTH = truth(CATALOG.entities)

Evidence = Mapping[str, Mapping[str, Mapping[str, FieldEvidence]]]


@pytest.fixture(scope="module")
def evidence(loaded_world: LoadedWorld) -> Iterator[Evidence]:
    """By system and stream."""
    with psycopg.connect(loaded_world.warehouse.loader, options="-c TimeZone=UTC") as connection:
        yield {
            name: read_evidence(
                connection,
                system,
                mapped_tables(connection, CATALOG.entities, without=name),
                staged(system),
                dict.fromkeys(system.streams, RECORDS),
            )
            for name, system in CATALOG.systems.items()
        }
        connection.rollback()


@dataclass(frozen=True)
class Judged:
    """Every field of the catalogue, and of each mapped stream whether its entity is first, or among the first three."""

    cases: tuple[Case, ...]
    entities: tuple[tuple[bool, bool], ...]


def _judged(evidence: Evidence) -> Judged:
    found: list[Case] = []
    entities: list[tuple[bool, bool]] = []
    for name, system in CATALOG.systems.items():
        proposals = propose(read_catalogue(CATALOG.entities, CATALOG.systems, name), system, evidence[name])
        found += cases(name, proposals, TRUTH)
        for stream, each in proposals.items():
            right = {entity.entity for entity in CATALOG.entities.values() if f"{name}.{stream}" in entity.streams}
            ranked = [fit.entity for fit in each.entities[:3]]
            if right:
                entities.append((ranked[0] in right, not right.isdisjoint(ranked)))
    return Judged(tuple(found), tuple(entities))


def _leading(found: Iterable[Case]) -> list[Case]:
    return [case for case in found if case.truth and case.truth.leading]


def test_the_right_attribute_is_first_or_among_three_and_what_is_sure_is_right(evidence: Evidence) -> None:
    judged = _judged(evidence)
    leading = rates(_leading(judged.cases))
    assert leading.fields > 250
    assert leading.first >= 0.84
    assert leading.among_three >= 0.94
    assert leading.sure >= 0.45
    assert leading.right_when_sure >= 0.96
    known = rates(case for case in judged.cases if case.truth and case.truth.known)
    assert (known.first >= 0.80, known.among_three >= 0.90, known.right_when_sure >= 0.96) == (True, True, True)
    every = rates(case for case in judged.cases if case.truth)  # attributes too that no other system gives
    assert every.right_when_sure >= 0.93
    assert sum(first for first, _ in judged.entities) / len(judged.entities) >= 0.85
    assert sum(three for _, three in judged.entities) / len(judged.entities) >= 0.92
    unmapped = [case for case in judged.cases if case.truth is None]
    assert sum(case.sure for case in unmapped) / len(unmapped) < 0.1  # half of them the catalogue should have mapped


@pytest.mark.parametrize("reason", sorted(features.WEIGHTS))
def test_no_weight_is_fitted_a_third_more_or_less_of_each_changes_little(
    evidence: Evidence, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for factor in (2 / 3, 4 / 3):
        weights = {**features.WEIGHTS, reason: features.WEIGHTS[reason] * factor}
        monkeypatch.setattr(features, "WEIGHTS", weights)
        leading = rates(_leading(_judged(evidence).cases))
        assert leading.first >= 0.81
        assert leading.among_three >= 0.92
        monkeypatch.undo()
