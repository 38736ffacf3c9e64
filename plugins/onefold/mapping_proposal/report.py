"""The proposals as text and as JSON: names, shares and reasons; never a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from onefold.mapping_proposal.assistant import Proposed
from onefold.mapping_proposal.proposal import SURE_OF_ENTITY
from onefold.mapping_proposal.reasons import percent, reasons
from onefold.mapping_proposal.rules import Question


def report_lines(system: str, proposed: Proposed) -> Iterator[str]:
    """What each stream is, which rules the diff has, and what a person decides."""
    for name, stream in proposed.streams.items():
        yield f"{system}.{name}: {_entities(name, proposed)}"
        for rule in (each for each in proposed.answer.rules if each.source == f"{system}.{name}"):
            yield f"  {rule.entity}.{rule.attribute} <- {' + '.join(rule.rule.fields)}: {rule.why}"
        questions = [each for each in proposed.answer.questions if each.source == f"{system}.{name}"]
        for question in questions:
            names = _candidates(question, stream.fields[question.field].first.score)
            opinion = f"; {question.opinion}" if question.opinion else ""
            yield f"  ? {question.field} ({question.why}): {names}{opinion}"
    answer = proposed.answer
    yield (
        f"{len(answer.rules)} rules in the diff, {len(answer.questions)} fields for you to decide, "
        f"{answer.mapped} mapped already."
    )


def _entities(name: str, proposed: Proposed) -> str:
    first, *others = proposed.streams[name].entities[:3]
    named = ", ".join(each.entity for each in others)
    if first.score < SURE_OF_ENTITY:
        return f"perhaps {first.entity}, or an entity that there is not yet; then {named}"
    return f"{first.entity} ({percent(first.covered)} of its attributes have a field); then {named}"


def _candidates(question: Question, best: float) -> str:
    return "no attribute that there is" if best < 0.3 else ", ".join(question.candidates)


def as_json(system: str, proposed: Proposed) -> dict[str, object]:
    """The same for scripts: by stream its entities, and by field its candidates with score, sureness and reasons."""
    return {
        "system": system,
        "streams": {
            name: {
                "entities": [{"entity": each.entity, "score": round(each.score, 2)} for each in stream.entities[:3]],
                "fields": {
                    field: {
                        "sure": each.sure,
                        "reasons": reasons(each),
                        "candidates": [
                            {"attribute": one.known.full_name, "score": round(one.score, 2)}
                            for one in each.candidates[:3]
                        ],
                    }
                    for field, each in stream.fields.items()
                },
            }
            for name, stream in proposed.streams.items()
        },
        "rules": [
            {"attribute": f"{each.entity}.{each.attribute}", "source": each.source, "fields": each.rule.fields,
             "transform": each.rule.transform, "reasons": each.why}
            for each in proposed.answer.rules
        ],
        "questions": list(_questions(proposed.answer.questions)),
    }  # fmt: skip


def _questions(questions: Iterable[Question]) -> Iterator[dict[str, object]]:
    for each in questions:
        opinion = {"opinion": each.opinion} if each.opinion else {}
        yield {
            "source": each.source,
            "field": each.field,
            "why": each.why,
            "candidates": list(each.candidates),
            **opinion,
        }
