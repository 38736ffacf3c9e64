"""From proposals to rules of the catalogue: what is sure becomes a rule, the rest a question with its candidates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from onefold.catalog.entity import Entity, Rule
from onefold.errors import Fatal
from onefold.mapping.sql import transform_sql, transform_types
from onefold.mapping_proposal.features import FieldEvidence
from onefold.mapping_proposal.proposal import SURE, FieldProposal, StreamProposal
from onefold.mapping_proposal.reasons import percent, reasons

FEW_CODES = 12
"""Different values of a field that may each stand for something."""

Values = Mapping[str, Sequence[str]]
"""The different values by field, of fields that have few."""


@dataclass(frozen=True, slots=True)
class ProposedRule:
    """A rule that the diff adds: which attribute a source gives, how, and why."""

    entity: str
    attribute: str
    source: str
    rule: Rule
    proposals: tuple[FieldProposal, ...]
    opinion: str = ""
    """Why, where it is not what is known here that decides, but a model's opinion."""

    @property
    def why(self) -> str:
        """In words, with the score of the least sure field; a proposal is sure from SURE on."""
        if self.opinion:
            return self.opinion
        alone = len(self.proposals) == 1
        said = "; ".join(("" if alone else f"{each.field.name} ") + reasons(each) for each in self.proposals)
        return f"{said} (score {min((each.lead for each in self.proposals), default=SURE):.1f}, sure from {SURE})"


@dataclass(frozen=True, slots=True)
class Question:
    """A field about which a person decides: why, and the attributes that it could be, the likeliest first."""

    source: str
    field: str
    why: str
    candidates: tuple[str, ...]
    opinion: str = ""
    """What a model takes it for, where one was asked and its opinion is no rule."""


@dataclass(frozen=True, slots=True)
class Answer:
    """All that is proposed for some streams. `mapped` counts the fields that the catalogue maps already."""

    rules: tuple[ProposedRule, ...]
    questions: tuple[Question, ...]
    mapped: int


def rules(
    system: str,
    proposals: Mapping[str, StreamProposal],
    entities: Mapping[str, Entity],
    values: Mapping[str, Values],
) -> Answer:
    """The rules for what is sure and not mapped yet, the questions for the rest."""
    found: list[ProposedRule] = []
    questions: list[Question] = []
    mapped = 0
    for name, stream in proposals.items():
        source = f"{system}.{name}"
        there = {
            field
            for entity in entities.values()
            for attribute in entity.attributes.values()
            if source in attribute.sources
            for field in attribute.sources[source].inputs
        }
        mapped += len(there & stream.fields.keys())
        chosen: defaultdict[str, list[FieldProposal]] = defaultdict(list)
        for field, each in stream.fields.items():
            if field in there:
                continue
            if each.sure:
                chosen[each.first.known.full_name].append(each)
            else:
                questions.append(_question(source, each, "unsure"))
        for full_name, fields in chosen.items():
            entity, _, attribute = full_name.partition(".")
            if source in entities[entity].attributes[attribute].sources:
                questions += [
                    _question(source, each, f"{full_name} has a rule for {source} already") for each in fields
                ]
                continue
            rule, left = _rule(system, stream, fields, values[name])
            if rule is None:
                questions += [_question(source, each, left) for each in fields]
            else:
                taken = [each for each in fields if each.field.name in rule.fields]
                found.append(ProposedRule(entity, attribute, source, rule, tuple(taken)))
                questions += [
                    _question(source, each, f"{full_name} is {' and '.join(rule.fields)} rather")
                    for each in fields
                    if each.field.name not in rule.fields
                ]
    return _without_records_of_nothing(Answer(tuple(found), tuple(questions), mapped), entities)


def _question(source: str, each: FieldProposal, why: str) -> Question:
    held = "" if each.field.values.filled else "; no record holds anything in it"
    names = tuple(candidate.known.full_name for candidate in each.candidates[:3])
    return Question(source, each.field.name, why + held, names)


def _without_records_of_nothing(answer: Answer, entities: Mapping[str, Entity]) -> Answer:
    """A rule may only name a record of a stream that feeds the entity, by now or by another rule of the answer."""
    feeding = {(name, stream) for name, entity in entities.items() for stream in entity.streams}
    feeding |= {(each.entity, each.source) for each in answer.rules if each.rule.record is None}
    kept: list[ProposedRule] = []
    questions = list(answer.questions)
    for each in answer.rules:
        referenced = entities[each.entity].attributes[each.attribute].references
        if each.rule.record is None or (referenced, each.rule.record) in feeding:
            kept.append(each)
        else:
            why = f"it names records of {each.rule.record}, which does not feed {referenced} yet"
            questions += [_question(each.source, one, why) for one in each.proposals]
    return Answer(tuple(kept), tuple(questions), answer.mapped)


def _rule(system: str, stream: StreamProposal, fields: list[FieldProposal], values: Values) -> tuple[Rule | None, str]:
    """The rule that makes the attribute of these fields, which all have it first; or why there is none."""
    best = max(fields, key=lambda each: each.first.score)
    known = best.first.known
    if known.attribute.references:
        target = next((each.stream for each in sorted(best.field.references, key=lambda each: -each.share)), None)
        if target is None:
            return None, "no stream of the system has these keys"
        return Rule(field=best.field.name, record=f"{system}.{target}"), ""
    if known.is_record_key and best.field.in_primary_key and best.field.key_fields > 1:
        return Rule(field=list(stream.stream.primary_key), transform="joined"), ""
    if (parts := _parts(fields)) and (several := _of_several(known.attribute.sources.values(), len(parts))):
        return _with_country(Rule(field=parts, transform=several), stream), ""
    if "code" in known.transforms and best.first.support.transform is None:
        if best.field.source.personal != "none":
            return None, "its values are personal, so that they cannot be written as codes"
        codes, unknown = _codes(known.attribute.sources.values(), values.get(best.field.name, ()))
        if unknown or not codes:
            return None, f"what {unknown or 'its'} of its values mean is not known from other systems: write the codes"
        return Rule(field=best.field.name, transform="code", codes=codes), ""
    transform = best.first.support.transform or "text"
    if transform_types()[transform] != known.attribute.type:
        return None, f"no transform of one field gives {known.attribute.type} from its values"
    share = best.field.values.accepted.get(transform, 0.0)
    if best.field.values.filled and share < 0.8:
        return None, f"{transform} understands {percent(share)} of its values only"
    return _with_country(Rule(field=best.field.name, transform=transform), stream), ""


def _parts(fields: list[FieldProposal]) -> list[str]:
    """Fields that are the first, second and further part of one attribute by their names; empty when they are not."""
    places = {each.first.support.alias.place: each.field.name for each in fields if each.first.support.alias}
    whole = len(fields) > 1 and len(places) == len(fields) and sorted(places) == list(range(len(places)))
    return [places[place] for place in sorted(places)] if whole else []


def _of_several(others: Iterable[Rule], parts: int) -> str | None:
    """The transform by which other systems make the attribute of about so many fields."""
    return next((rule.transform for rule in others if len(rule.fields) >= parts and rule.transform != "joined"), None)


def _codes(others: Iterable[Rule], values: Sequence[str]) -> tuple[dict[str, str], int]:
    """What each value means, as other systems' codes say it; and how many of them none says."""
    meanings = {code.casefold(): meaning for rule in others for code, meaning in (rule.codes or {}).items()}
    meanings |= {meaning.casefold(): meaning for rule in others for meaning in (rule.codes or {}).values()}
    found = {value: meanings[value.casefold()] for value in values if value.casefold() in meanings}
    return found, len(values) - len(found)


def _with_country(rule: Rule, stream: StreamProposal) -> Rule:
    """Read by the forms of the country that a field of the same record surely says."""
    try:
        transform_sql(rule.transform, *("value" for _ in rule.fields), country="country")
    except Fatal:
        return rule
    for field, each in stream.fields.items():
        if each.sure and each.first.known.name == "country" and each.first.support.transform == "country_iso2":
            return rule.model_copy(update={"country": field})
    return rule


def fields_of_few_values(fields: Mapping[str, FieldEvidence]) -> list[str]:
    """The fields whose values may each stand for something."""
    return [name for name, each in fields.items() if 0 < each.values.distinct <= FEW_CODES]
