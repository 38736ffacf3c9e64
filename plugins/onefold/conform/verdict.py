"""The verdict on an entity's candidates: which fail, and whether the entity can be published without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.conform.candidate import Candidate, Failure, Gate
from onefold.errors import Rejected
from onefold.warehouse.rows import one_row

# Those that were held back before are not counted: they come again with each publish, however few that one changes.
_COUNT = """
select count(*) filter (where failing), count(*)
from (
    select c.{key} in (select {key} from ({failing}) as f) as failing
    from {candidate} as c
    where c._change is not null
        and not exists (select from ops.held_back as h where h.entity = {entity} and h.golden_id = c.{key})
) as judged"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What some candidates fail, and why the whole entity is refused, None where it is not.

    `failing` of the `judged` changed golden records fail a critical expectation and did not before.
    """

    failures: tuple[Failure, ...] = ()
    refused: str | None = None
    failing: int = 0
    judged: int = 0


def judge_candidates(connection: psycopg.Connection, entity: Entity, candidate: Candidate, gate: Gate) -> Verdict:
    """Ask the gate about the entity's candidates, and compare what fails with what its YAML allows."""
    try:
        failures = tuple(gate(candidate))
    except Rejected as error:
        return Verdict(refused=str(error))
    critical = [failure for failure in failures if failure.critical]
    if not critical:
        return Verdict(failures)
    failing, judged = one_row(
        connection.execute(
            sql.SQL(_COUNT).format(
                key=sql.Identifier(candidate.key),
                failing=failing_rows(critical),
                candidate=sql.Identifier(candidate.schema, candidate.table),
                entity=sql.Literal(entity.entity),
            )
        )
    )
    return Verdict(failures, _too_many(entity, candidate, critical, failing, judged), failing, judged)


def failing_rows(failures: Sequence[Failure]) -> sql.Composed:
    """A query that gives the keys of the candidates that fail any of these."""
    return sql.SQL(" union ").join(sql.SQL("({})").format(failure.rows) for failure in failures)


def _too_many(
    entity: Entity, candidate: Candidate, critical: Sequence[Failure], failing: int, judged: int
) -> str | None:
    limit = entity.gate.max_held_back_share
    if failing <= entity.gate.few or failing <= limit * judged:
        return None
    reasons = "; ".join(sorted({failure.reason for failure in critical}))
    return (
        f"{entity.entity}: the gate refused publish {candidate.publish_id}: {failing} of {judged} changed golden "
        f"records failed, more than the {limit:.0%} that may be held back ({reasons}). Analysts still see the "
        f"last publish of it. Fix catalog/entities/{entity.entity}.yaml (or the suite in "
        f"expectations/{entity.entity}.yaml) and run conform again."
    )


def with_dependents(entities: Sequence[Entity], refused: Mapping[str, str]) -> dict[str, str]:
    """The entities that cannot be published, and why: those that are refused, and those that refer to one of them."""
    reasons = dict(refused)
    while True:
        more = {
            entity.entity: f"{entity.entity}: refers to {other}, which is refused."
            for entity in entities
            if entity.entity not in reasons
            for other in sorted(set(entity.referenced.values()))
            if other in reasons
        }
        if not more:
            return reasons
        reasons |= more
