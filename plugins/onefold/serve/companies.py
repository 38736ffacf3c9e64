"""Companies by one of their numbers: as they are published, and where that is older than 24 hours as their register
says now. Of an attribute the most trusted register that gives it wins, as in the warehouse."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, LiteralString
from uuid import UUID

from onefold.serve.attributes import EntityRules
from onefold.serve.clients import Client
from onefold.serve.database import Database, Row
from onefold.serve.numbers import is_nip, is_regon
from onefold.serve.problem import Problem
from onefold.serve.question import Answer, NoAnswer, Question
from onefold.serve.registers import Registers

log = logging.getLogger(__name__)
NumberKind = Literal["nip", "krs", "regon", "vat"]
COLUMNS: Mapping[NumberKind, LiteralString] = {
    "nip": "tax_id_pl",
    "krs": "krs",
    "regon": "regon",
    "vat": "eu_vat",
}
# The company, and what the registers have answered about it: to loads, and to the API. Each is found by a key.
_ANSWERS: LiteralString = """
(select jsonb_agg(jsonb_build_object('system', asked.system, 'stream', asked.stream, 'key', asked.key,
    'loaded_at', l.answered_at, 'loaded', l.outcome, 'loaded_proof', l.proof,
    'asked_at', a.answered_at, 'asked', a.outcome, 'asked_proof', a.proof, 'content', a.content{people}))
 from (values ('krs', 'extract', {krs}), ('regon', 'entity', {nip}), ('regon', 'by_regon', {regon}),
    ('vies', 'number', {vat}), ('white_list', 'subject', {nip})) as asked (system, stream, key)
 left join ops.lookup_cache as l on l.system = asked.system and l.stream = asked.stream and l.lookup_key = asked.key
 left join ops.api_answer as a on a.system = asked.system and a.stream = asked.stream and a.lookup_key = asked.key
 where asked.key is not null and (l.answered_at is not null or a.answered_at is not null)) as answers
"""
_PEOPLE: LiteralString = ", 'people', a.people"
_HELD: LiteralString = """
select company_id, tax_id_pl, regon, krs, eu_vat, natural_person, systems, content{people}, published_at, {answers}
from ops.api_company as c where c.{column} = %s
order by (c.status is distinct from 'struck_off') desc, published_at desc limit 1"""


@dataclass(frozen=True, slots=True)
class Source:
    """What one register has said, and when."""

    register: str
    outcome: str
    as_of: datetime
    stale: bool
    proof: str | None


@dataclass(slots=True)
class Company:
    """A company as the API knows it; `company_id` is None where only a register knows it. `hidden` are attributes that
    the client may not see."""

    company_id: UUID | None
    attributes: dict[str, Any] = field(repr=False)
    natural_person: bool
    hidden: list[str]
    as_of: datetime
    stale: bool
    sources: list[Source]

    def number(self, kind: NumberKind) -> str | None:
        value = self.attributes.get(COLUMNS[kind])
        return value if isinstance(value, str) else None


class Companies:
    """Finds companies by number."""

    def __init__(self, database: Database, registers: Registers, rules: EntityRules) -> None:
        self._database = database
        self._registers = registers
        self._rules = rules

    async def find(self, kind: NumberKind, number: str, client: Client) -> Company:
        """The company with the number. A register is asked where what is held is not of the last 24 hours. Raises
        Problem 404 when the register says that there is none, 503 when nobody can say."""
        _require_possible(kind, number)
        rows = await self._held(kind, number, client)
        held = rows[0] if rows else None
        numbers = _numbers(kind, number, held)
        answers = _answers(held) if held else await self._answers_about(numbers, client)
        question = _main_question(numbers)
        company = self._company(held, answers, question, client)
        says_no = question is not None and _says_no(answers, question)
        known = company is not None or says_no
        if question is not None and not (known and _is_fresh(_newest(answers, question))):
            try:
                answers = _with(answers, await self._registers.ask(question, client.name))
            except NoAnswer as error:
                log.info("Answered from what is held: %s", error)
            else:
                company = self._company(held, answers, question, client)
                says_no = _says_no(answers, question)
        if company is not None and not (held is None and says_no):
            return company
        if says_no:
            raise Problem(404, "not-found", "The register has no company with this number.")
        detail = "Nothing is known of this number here, and no register can say. Try again later."
        raise Problem(503, "register-unavailable", detail, {"Retry-After": "30"})

    async def _held(self, kind: NumberKind, number: str, client: Client) -> list[Row]:
        people = client.sees_people
        return await self._database.reader(people=people).fetch(_held_query(kind, people), (number,))

    async def _answers_about(self, numbers: Mapping[NumberKind, str | None], client: Client) -> list[Row]:
        people = client.sees_people
        values = {str(name): value for name, value in numbers.items()}
        rows = await self._database.reader(people=people).fetch(_answers_query(people), values)
        found: list[Row] = rows[0]["answers"] or []
        return found

    def _company(
        self, held: Row | None, answers: Sequence[Row], main: Question | None, client: Client
    ) -> Company | None:
        """The published record with what registers have said since; None where neither knows it."""
        said = [
            each
            for each in answers
            if each.get("content") and _at(each, "asked_at") > max(_published(held), _at(each, "loaded_at"))
        ]
        if held is None and not said:
            return None
        attributes: dict[str, Any] = {**held["content"], **held.get("people", {})} if held else {}
        attributes.pop("source_of_truth", None)
        natural = bool(held["natural_person"]) if held else False
        systems = list(held["systems"]) if held else []
        for each in sorted(said, key=lambda one: self._rank(one["system"]), reverse=True):
            newest = {**each["content"][0].get("attributes", {})}
            if client.sees_people and each.get("people"):
                newest |= each["people"][0].get("attributes", {})
            natural = bool(newest.pop("natural_person", natural)) if held is None else natural
            newest.pop("natural_person", None)
            for name, value in newest.items():
                trusted = self._rules.trust(name)
                above = trusted[: trusted.index(each["system"])] if each["system"] in trusted else trusted
                if attributes.get(name) is None or not set(above) & set(systems):
                    attributes[name] = value
        hidden = [] if client.sees_people else [
            *self._rules.always_personal, *(self._rules.personal_of_persons if natural else ())
        ]  # fmt: skip
        attributes = {name: None if name in hidden else attributes.get(name) for name in self._rules.entity.attributes}
        sources = _sources(answers)
        governing = next((each for each in sources if main and each.register == main.system), None)
        as_of = governing.as_of if governing else _published(held)
        stale = governing.stale if governing else True
        company_id = held["company_id"] if held else None
        return Company(company_id, attributes, natural, sorted(set(hidden)), as_of, stale, sources)

    def _rank(self, system: str) -> int:
        trust = self._rules.entity.trust
        return trust.index(system) if system in trust else len(trust)


@cache
def _held_query(kind: NumberKind, people: bool) -> LiteralString:
    answers = _ANSWERS.format(
        krs="c.krs", nip="c.tax_id_pl", regon="null::text", vat="c.eu_vat", people=_PEOPLE if people else ""
    )
    return _HELD.format(column=COLUMNS[kind], people=", people" if people else "", answers=answers)


@cache
def _answers_query(people: bool) -> LiteralString:
    answers = _ANSWERS.format(
        krs="%(krs)s", nip="%(nip)s", regon="%(regon)s", vat="%(vat)s", people=_PEOPLE if people else ""
    )
    return "select " + answers


def _require_possible(kind: NumberKind, number: str) -> None:
    if (kind == "nip" and not is_nip(number)) or (kind == "regon" and not is_regon(number)):
        raise Problem(404, "not-found", "No company can have this number: its check digit is wrong.")


def _numbers(kind: NumberKind, number: str, held: Row | None) -> dict[NumberKind, str | None]:
    found: dict[NumberKind, str | None] = {each: held[column] if held else None for each, column in COLUMNS.items()}
    found[kind] = number
    if kind == "vat" and number.startswith("PL") and is_nip(number[2:]):
        found["nip"] = found["nip"] or number[2:]
    return found


def _main_question(numbers: Mapping[NumberKind, str | None]) -> Question | None:
    """The register that knows most of the company: the court's, else that of statistics, else VIES."""
    if krs := numbers["krs"]:
        return Question("krs", "extract", krs)
    if nip := numbers["nip"]:
        return Question("regon", "entity", nip)
    if regon := numbers["regon"]:
        return Question("regon", "by_regon", regon)
    return Question("vies", "number", vat) if (vat := numbers["vat"]) else None


def _answers(held: Row) -> list[Row]:
    found: list[Row] = held["answers"] or []
    return found


def _at(answer: Row, name: str) -> datetime:
    text = answer.get(name)
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)


def _published(held: Row | None) -> datetime:
    found: datetime = held["published_at"] if held else datetime.min.replace(tzinfo=UTC)
    return found


def _newest(answers: Sequence[Row], question: Question | None) -> datetime | None:
    if question is None:
        return None
    times = [
        max(_at(each, "loaded_at"), _at(each, "asked_at"))
        for each in answers
        if (each["system"], each["stream"]) == (question.system, question.stream)
    ]
    return max(times) if times else None


def _is_fresh(answered_at: datetime | None) -> bool:
    return answered_at is not None and Answer(Question("", "", ""), "found", answered_at).is_fresh()


def _with(answers: Sequence[Row], answer: Answer) -> list[Row]:
    """The answers with this one, as the warehouse would give them."""
    of = (answer.question.system, answer.question.stream)
    before: Row = next((each for each in answers if (each["system"], each["stream"]) == of), {})
    row = before | {
        "system": of[0], "stream": of[1], "key": answer.question.key, "asked": answer.outcome,
        "asked_at": answer.answered_at.isoformat(), "asked_proof": answer.proof, "content": answer.content,
        "people": answer.people,
    }  # fmt: skip
    return [*(each for each in answers if (each["system"], each["stream"]) != of), row]


def _says_no(answers: Sequence[Row], question: Question) -> bool:
    """Whether the newest word of the register is that it has no such company."""
    for each in answers:
        if (each["system"], each["stream"]) == (question.system, question.stream):
            newest = "asked" if _at(each, "asked_at") >= _at(each, "loaded_at") else "loaded"
            records = each.get("content") or [{}]
            invalid = records[0].get("attributes", {}).get("eu_vat_valid") is False
            return each.get(newest) in ("not_found", "deleted") or invalid
    return False


def _sources(answers: Sequence[Row]) -> list[Source]:
    found = []
    for each in sorted(answers, key=lambda one: str(one["system"])):
        asked = _at(each, "asked_at") >= _at(each, "loaded_at")
        as_of = _at(each, "asked_at") if asked else _at(each, "loaded_at")
        outcome, proof = (
            (each.get("asked"), each.get("asked_proof")) if asked else (each["loaded"], each["loaded_proof"])
        )
        found.append(Source(each["system"], str(outcome), as_of, not _is_fresh(as_of), proof))
    return found
