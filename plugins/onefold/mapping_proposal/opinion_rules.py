"""Joins a model's opinions with the assistant's: what the values speak for becomes a rule, the rest is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.entity import Rule
from onefold.catalog.reader import Catalog
from onefold.errors import OnefoldError
from onefold.llm.prompt import Prompt
from onefold.llm.router import Answer as ModelAnswer
from onefold.llm.router import AnswerRefused
from onefold.mapping.example import example_record
from onefold.mapping.sql import rule_sql, transform_types
from onefold.mapping_proposal.assistant import Proposed, with_example
from onefold.mapping_proposal.opinion import Opinion, mapping_prompt, read_opinions, shown_fields
from onefold.mapping_proposal.proposal import FieldProposal, staged
from onefold.mapping_proposal.reasons import percent
from onefold.mapping_proposal.rules import Answer, ProposedRule, Question

T = TypeVar("T")
UNDERSTOOD = 0.8
"""The share of a field's values that the transform must understand, as for the assistant's own rules."""

_HOLDS = "select to_jsonb({}) is not distinct from {}::jsonb from (select {}::jsonb as _payload) as made"


class Ask(Protocol):
    """Asks a model, as onefold.llm.router.Router.ask does."""

    def __call__(self, prompt: Prompt, read: Callable[[str], T]) -> ModelAnswer[T]: ...


@dataclass(frozen=True, slots=True)
class Joined:
    """The proposals with the model's opinions, and why some were not asked for or not used."""

    proposed: Proposed
    notes: tuple[str, ...]


def join_opinions(
    connection: psycopg.Connection, catalog: Catalog, system: str, proposed: Proposed, ask: Ask, records: int
) -> Joined:
    """Ask about the fields of which the assistant is not sure. Whatever goes wrong there, its own proposals stand."""
    opinions, notes = _opinions(catalog, system, proposed, ask)
    rules: list[ProposedRule] = list(proposed.answer.rules)
    questions: list[Question] = []
    taken = {(each.entity, each.attribute, each.source) for each in rules}
    for question in proposed.answer.questions:
        opinion = opinions.get((question.source, question.field))
        if opinion is None:
            questions.append(question)
            continue
        field = proposed.streams[question.source.partition(".")[2]].fields[question.field]
        against = _against(catalog, question.source, opinion, field, taken)
        if against:
            questions.append(replace(question, opinion=f"{_says(opinion)}, but {against}"))
            continue
        entity, _, attribute = opinion.attribute.partition(".")
        taken.add((entity, attribute, question.source))
        why = f"{_says(opinion)}: {opinion.transform} understands {_share(field, opinion)}; {_place(question, opinion)}"
        rule = Rule(field=question.field, transform=opinion.transform)
        rules.append(ProposedRule(entity, attribute, question.source, rule, (field,), why))
    answer = Answer(
        tuple(_with_examples(connection, catalog, system, rules, records)), tuple(questions), proposed.answer.mapped
    )
    return Joined(replace(proposed, answer=answer), tuple(notes))


def without_opinions(joined: Proposed, before: Proposed, why: str) -> Proposed:
    """The assistant's own proposals again, where the rules by a model's opinion did not pass; each is told with why."""
    refused = {(each.source, each.rule.fields[0]): each for each in joined.answer.rules if each.opinion}
    told = {(each.source, each.field): each.opinion for each in joined.answer.questions}
    questions = tuple(
        replace(each, opinion=f"{found.opinion}; not in the diff: {why}")
        if (found := refused.get((each.source, each.field)))
        else replace(each, opinion=told.get((each.source, each.field), ""))
        for each in before.answer.questions
    )
    return replace(before, answer=replace(before.answer, questions=questions))


def failed_examples(connection: psycopg.Connection, catalog: Catalog, rules: tuple[ProposedRule, ...]) -> list[str]:
    """Which of these rules, as the changed `catalog` reads them, have no example or one that does not hold: what their
    generated unit tests would say, asked of PostgreSQL by the same macros."""
    failed = []
    for each in rules:
        system, _, stream_name = each.source.partition(".")
        stream = catalog.systems[system].streams[stream_name]
        rule = catalog.entities[each.entity].attributes[each.attribute].sources[each.source]
        holds = bool(rule.examples)
        for example in rule.examples:
            query = sql.SQL(
                "select to_jsonb({}) is not distinct from {}::jsonb from (select {}::jsonb as _payload) as made"
            ).format(
                sql.SQL(rule_sql(rule, stream)),
                sql.Literal(Jsonb(example.then)),
                sql.Literal(Jsonb(example_record(rule, stream, example))),
            )
            row = connection.execute(query).fetchone()
            holds = holds and row is not None and bool(row[0])
        if not holds:
            failed.append(f"{each.entity}.{each.attribute} <- {each.source}")
    return failed


def _opinions(
    catalog: Catalog, system: str, proposed: Proposed, ask: Ask
) -> tuple[Mapping[tuple[str, str], Opinion], list[str]]:
    found: dict[tuple[str, str], Opinion] = {}
    notes: list[str] = []
    for name, stream in proposed.streams.items():
        source = f"{system}.{name}"
        fields = frozenset(each.field for each in proposed.answer.questions if each.source == source)
        if not shown_fields(stream, fields):
            continue
        try:
            prompt = mapping_prompt(system, catalog.systems[system].title, stream, fields, catalog.entities)
            answer = ask(prompt, partial(read_opinions, stream=stream, prompt=prompt))
        except AnswerRefused as error:
            notes.append(f"{source}: {error}")
            continue
        except OnefoldError as error:  # it would be the same for the next stream
            notes.append(f"{source}: no model's opinion: {error}")
            break
        found |= {(source, field): replace(each, model=answer.model) for field, each in answer.value.items()}
    return found, notes


def _against(
    catalog: Catalog, source: str, opinion: Opinion, field: FieldProposal, taken: set[tuple[str, str, str]]
) -> str:
    """Why the opinion is no rule; empty when it is one."""
    entity, _, name = opinion.attribute.partition(".")
    attribute = catalog.entities[entity].attributes[name]
    if source in attribute.sources or (entity, name, source) in taken:
        return f"{opinion.attribute} has a rule for {source} already"
    if transform_types()[opinion.transform] != attribute.type:
        return f"{opinion.transform} gives no {attribute.type}"
    if field.field.values.accepted.get(opinion.transform, 0.0) < UNDERSTOOD:
        return f"{opinion.transform} understands {_share(field, opinion)} only"
    return ""


def _says(opinion: Opinion) -> str:
    return f"a model ({' '.join(opinion.model.split())}) takes it for {opinion.attribute}"


def _share(field: FieldProposal, opinion: Opinion) -> str:
    share = field.field.values.accepted.get(opinion.transform, 0.0)
    return f"{percent(share)} of {field.field.values.filled} values"


def _place(question: Question, opinion: Opinion) -> str:
    if opinion.attribute in question.candidates:
        return f"number {question.candidates.index(opinion.attribute) + 1} of what is likely by name and values"
    return "not among the likely ones by name and values"


def _with_examples(
    connection: psycopg.Connection, catalog: Catalog, system: str, rules: list[ProposedRule], records: int
) -> list[ProposedRule]:
    relations = staged(catalog.systems[system])
    with connection.transaction(force_rollback=True):
        return [with_example(connection, catalog, relations, each, records) if each.opinion else each for each in rules]
