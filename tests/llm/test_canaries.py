"""No personal value is ever in a prompt: captured where the provider gets them, from worlds full of made-up persons."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.reader import read_catalog
from onefold.catalog.stream import Stream
from onefold.http.failure import Again, refusal
from onefold.insight.failure import FailedLoad, earlier_states, failed_expectations, failed_loads
from onefold.insight.failure_opinion import failure_prompt
from onefold.llm.configuration import Budget
from onefold.llm.paragraph import read_paragraph
from onefold.llm.prompt import Prompt, make_prompt, named
from onefold.mapping_proposal.catalogue import read_catalogue
from onefold.mapping_proposal.opinion import mapping_prompt, read_opinions
from onefold.mapping_proposal.proposal import StreamProposal, propose, read_evidence
from tests.effort import TORTURE
from tests.llm.conftest import Models

CATALOG = read_catalog()
FAILURES, WORLDS, PARTS = (9_700, 60, 5) if TORTURE else (285, 3, 5)
"""Failed loads, streams, and questions about each stream, by a part of its fields each."""
SENT = 20
"""Prompts of each kind that are sent: what the provider gets is what was captured, and no more."""
MARK = "kanarek"


@dataclass(frozen=True)
class Person:
    """A person that there is not, and all by which one could be known."""

    name: str
    pesel: str
    email: str
    phone: str
    iban: str

    @property
    def values(self) -> tuple[str, ...]:
        return self.name, self.pesel, self.email, self.phone, self.iban


def person(number: int) -> Person:
    chance = random.Random(number)
    digits = "".join(chance.choices("0123456789", k=60))
    first, last = f"Zenobia{digits[:4].translate(LETTERS)}", f"Kanarek{digits[4:8].translate(LETTERS)}"
    return Person(
        f"{first} {last}",
        f"{40 + number % 50}0{1 + number % 9}{10 + number % 18}{digits[8:13]}",
        f"{first}.{last}@{MARK}.example".lower(),
        f"+48 {digits[13:16]} {digits[16:19]} {digits[19:22]}",
        f"PL{digits[22:24]} {' '.join(digits[n : n + 4] for n in range(24, 48, 4))}",
    )


LETTERS = str.maketrans("0123456789", "abcdefghij")
TEXTS = (
    lambda p, n: f"erp.klient: GET /people/{p.email}/{p.pesel} was refused with status 40{n % 5} ({p.name}, {p.iban})",
    lambda p, n: f"{p.name}: the gate refused load {n}: value {p.phone} of {p.email} is not allowed",
    lambda p, n: f"files.bank: {p.name} {p.pesel}.csv, line 3 is no record: {p.iban};{p.name}",
    lambda p, n: f"[{p.name}] INVALID_FIELD {p.phone.replace(' ', '')} {p.iban.replace(' ', '')}",
    lambda p, n: str(Again(f"status 503: {p.name}", status=503, answer=p.email).in_the_end(p.name, 5, p.email)),
    lambda p, n: str(refusal(f"crm.{p.name}: POST /{p.pesel}", 400, f"{p.name} {p.iban}", p.email)),
)
"""What sources, file names and drivers could put into an error, if nobody had kept it out before."""


def failed(models: Models, people: list[Person]) -> Iterator[FailedLoad]:
    """Loads whose errors, runs and systems' answers are full of them."""
    streams = [(system.system, name) for system in CATALOG.systems.values() for name in system.streams]
    rows = [
        (*where, f"manual__{p.email}", "sync__x", text(p, n))
        for n, (p, where, text) in enumerate(zip(people, cycle(streams), cycle(TEXTS)))
    ]
    with psycopg.connect(models.url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.load (system, stream, window_start, window_end, state, run_id, dag_id, error, actor,"
            " ended_at, rejected_in) values (%s, %s, '2026-01-01', '2026-01-02', 'rejected', %s, %s, %s, 'os:t', now(),"
            " 'extracting')",
            rows,
        )
    with psycopg.connect(models.url, autocommit=True) as connection:
        for (number,) in connection.execute("select load_id from ops.load order by 1").fetchall():
            yield from failed_loads(connection, str(number))


def stream_of(people: list[Person], number: int) -> Stream:
    """A stream whose fields and paths are named after people too, as of a file whose first line is no header."""
    keys = {p: field for each in people[:3] for field, p in zip(each.values, each.values, strict=True)}
    names = [f"pole_{n}" for n in range(6)]
    fields: dict[str, object] = dict.fromkeys(names, "text")
    fields |= {key: {"type": "text", "path": f'$."{key}"'} for key in keys}
    return Stream.model_validate(
        {"title": f"Persons, say {people[0].email}, part {number}", "primary_key": ["pole_0"], "fields": fields}
    )


def mapping_prompts(models: Models, people: list[Person], number: int) -> Iterator[tuple[Prompt, StreamProposal]]:
    """The question about a stream full of people: in values, keys and names of fields."""
    stream = stream_of(people, number)
    records = [
        {f"pole_{n}": value for n, value in enumerate((p.pesel, *p.values))}
        | dict(zip(p.values, p.values, strict=True))
        for p in people
    ]
    system = CATALOG.systems["erp"].model_copy(update={"streams": {"osoba": stream}})
    with psycopg.connect(models.url, options="-c TimeZone=UTC") as connection:
        connection.execute("create temp table osoby (_key text, _payload jsonb, _deleted boolean)")
        with connection.cursor() as cursor:
            cursor.executemany("insert into osoby values (%s, %s, false)", [(r["pole_0"], Jsonb(r)) for r in records])
        evidence = read_evidence(connection, system, [], {"osoba": sql.Identifier("osoby")}, {"osoba": 50})
        proposals = propose(read_catalogue(CATALOG.entities, CATALOG.systems, "erp"), system, evidence)
        connection.rollback()
    found = proposals["osoba"]
    for part in range(PARTS):
        fields = frozenset(list(found.fields)[part:])
        yield mapping_prompt("erp", system.title, found, fields, CATALOG.entities), found


@pytest.mark.timeout(3600)
def test_of_many_prompts_from_worlds_full_of_canary_persons_none_holds_any_of_their_values(models: Models) -> None:
    server = models.servers[0]
    router = models.router(Budget(10**12, None, None), (models.setting(0, None),))
    everybody = [person(n) for n in range(FAILURES + WORLDS * 5)]
    captured: list[str] = []
    sent: list[str] = []

    def capture(prompt: Prompt, read: Callable[[str], object], place: int) -> None:
        captured.append("\n".join(message["content"] for message in prompt.messages))
        if place < SENT and captured[-1] not in sent:  # the same is not asked twice
            router.ask(prompt, read)
            sent.append(captured[-1])

    with psycopg.connect(models.url, autocommit=True) as connection:
        for place, each in enumerate(failed(models, everybody[:FAILURES])):
            system, earlier = CATALOG.systems.get(each.system), earlier_states(connection, each)
            prompt = failure_prompt(each, system, failed_expectations(connection, each.load_id), earlier)
            capture(prompt, read_paragraph, place)
    server._answer = lambda _: '{"fields": {}}'
    people = iter(everybody[FAILURES:])
    for number in range(WORLDS):
        for prompt, found in mapping_prompts(models, list(islice(people, 5)), number):
            capture(prompt, partial(read_opinions, stream=found, prompt=prompt), number)
    assert len(captured) == FAILURES + WORLDS * PARTS
    assert server.prompts == sent and len(sent) > 2 * PARTS
    every = "\n".join(set(captured))  # what says nothing of anybody is often the same
    assert not {MARK, "zenobia", "@"} & set(re.findall(rf"{MARK}|zenobia|@", every.casefold()))
    numbers = set(re.findall(r"\d{9,}", re.sub(r"[ ().+-]", "", every)))
    for each in everybody:
        for value in (each.pesel, each.phone, each.iban):
            assert not any(re.sub(r"\D", "", value) in number for number in numbers)


@pytest.mark.parametrize("value", person(7).values)
def test_the_canaries_would_be_found_and_what_looks_personal_is_taken_out_of_facts(value: str) -> None:
    prompt = make_prompt("explain", "crm", "Explain it.", {"error": f"of {value}"}, 100)
    assert (value in prompt.facts) == (value == person(7).name)  # a name looks like any word: no free text is a fact
    assert value not in named(value)
