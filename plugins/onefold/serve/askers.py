"""How each register is asked one question, and what of its answer is personal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from onefold.catalog.reader import Catalog
from onefold.catalog.system import System
from onefold.connectors.connector import StreamSource
from onefold.connectors.lookup import LookupScope
from onefold.connectors.registry import connector_class
from onefold.connectors.window import Window
from onefold.http.client import Client as HttpClient
from onefold.http.endpoint import Endpoint
from onefold.serve.attributes import EntityRules
from onefold.serve.json_text import decode
from onefold.serve.krs_extract import public_part, public_value
from onefold.serve.question import Answer, NoAnswer, Outcome, Question
from onefold.serve.registers import Asker
from onefold.systems.krs.history import entries_of, read_full_extract
from onefold.systems.regon import Session, find_entities, full_reports
from onefold.systems.white_list import WARSAW, account_on, entry_on

Records = list[dict[str, Any]]


def askers_of(catalog: Catalog) -> Mapping[tuple[str, str], Asker]:
    """All questions that can be asked, by system and stream."""
    company, owner = EntityRules(catalog, "company"), EntityRules(catalog, "beneficial_owner")
    return {
        ("krs", "extract"): LookedUp(company),
        ("regon", "entity"): LookedUp(company),
        ("vies", "number"): LookedUp(company),
        ("crbr", "beneficiary"): LookedUp(owner),
        ("krs", "history"): _history,
        ("regon", "by_regon"): ByRegon(company),
        ("regon", "report"): _regon_report,
        ("white_list", "day"): WhiteListDay(company),
        ("white_list", "account"): _account,
    }


@dataclass(frozen=True, slots=True)
class LookedUp:
    """Asks as the stream's own connector does in a load, and maps the records by the entity's rules."""

    rules: EntityRules

    def __call__(
        self,
        question: Question,
        system: System,
        endpoint: Endpoint,
        http: HttpClient,
        warehouse: psycopg.Connection[Any],
    ) -> Answer:
        def keys(after: str | None, changed: Iterable[str], scope: LookupScope = "open") -> Iterator[str]:
            return iter([question.key] if after is None else [])

        source = StreamSource(_without_feed(system, question.stream), question.stream, endpoint, keys)
        now = datetime.now(UTC)
        connector = connector_class(system)(source, http)
        pages = list(connector.read(Window(now - timedelta(hours=1), now), None))
        results = [result for page in pages for result in page.lookup_results if result.key == question.key]
        if not results or results[-1].outcome == "failed":
            raise NoAnswer(f"{question.system} gives no answer about this one now")
        result, content, people = results[-1], Records(), Records()
        for record in (record for page in pages for record in page.records):
            payload: dict[str, Any] = decode(record.payload)
            found = self.rules.mapped(warehouse, source.named, record.payload)
            if record.deleted:
                found["status"] = "struck_off"
            shown, hidden = self.rules.split(found)
            content.append({"attributes": shown, "record": public_part(source.named, payload)})
            people.append({"attributes": hidden, "record": payload})
        outcome: Outcome = "not_found" if result.outcome == "not_found" else "found"
        return Answer(question, outcome, now, result.proof, content, people)


@dataclass(frozen=True, slots=True)
class ByRegon:
    """The entity with a REGON: the stream's own question is by tax number."""

    rules: EntityRules

    def __call__(
        self,
        question: Question,
        system: System,
        endpoint: Endpoint,
        http: HttpClient,
        warehouse: psycopg.Connection[Any],
    ) -> Answer:
        from onefold.connectors.json_lines import json_line

        now = datetime.now(UTC)
        name = "Regony9zn" if len(question.key) == 9 else "Regony14zn"
        content, people = Records(), Records()
        for row in find_entities(Session(system, endpoint, http), name, question.key):
            shown, hidden = self.rules.split(self.rules.mapped(warehouse, "regon.entity", json_line(row)))
            content.append({"attributes": shown})
            people.append({"attributes": hidden})
        return Answer(question, "found" if content else "not_found", now, None, content, people)


def _history(
    question: Question, system: System, endpoint: Endpoint, http: HttpClient, warehouse: psycopg.Connection[Any]
) -> Answer:
    now = datetime.now(UTC)
    full = read_full_extract(http, question.key)
    if full is None:
        return Answer(question, "not_found", now)
    content, people = Records(), Records()
    for entry in entries_of(full):
        head = {"entry": entry.number, "date": _day_of(entry.date), "text": entry.text}
        changes = [{"path": each.path, "removed": each.removed, "value": each.value} for each in entry.changes]
        people.append({**head, "changes": changes})
        shown = [each | {"value": public_value(str(each["path"]), each["value"])} for each in changes]
        content.append({**head, "changes": shown})
    return Answer(question, "found", now, None, content, people)


def _day_of(text: str) -> str | None:
    """The day of 31.12.2025; None for what is none."""
    try:
        return datetime.strptime(text, "%d.%m.%Y").date().isoformat()
    except ValueError:
        return None


def _regon_report(
    question: Question, system: System, endpoint: Endpoint, http: HttpClient, warehouse: psycopg.Connection[Any]
) -> Answer:
    now = datetime.now(UTC)
    session = Session(system, endpoint, http)
    content, people = Records(), Records()
    for row in find_entities(session, "Nipy", question.key):
        report, activities = full_reports(session, row)
        pkd = [_activity(each) for each in activities]
        whole = {"entity": dict(row), "report": dict(report), "activities": pkd}
        people.append(whole)
        content.append(whole if row.get("Typ") != "F" else {"entity": {"Typ": "F"}, "report": {}, "activities": pkd})
    return Answer(question, "found" if people else "not_found", now, None, content, people)


def _activity(row: Mapping[str, Any]) -> dict[str, Any]:
    """BIR writes 6210Z in praw_pkdKod of legal persons, in fiz_pkd_Kod of natural ones."""
    said = {name.lower().replace("_", "").removeprefix("praw").removeprefix("fiz"): each for name, each in row.items()}
    code = str(said.get("pkdkod") or "")
    written = f"{code[:2]}.{code[2:4]}.{code[4:]}" if len(code) == 5 else code
    return {"code": written, "name": said.get("pkdnazwa"), "main": said.get("pkdprzewazajace") == "1"}


@dataclass(frozen=True, slots=True)
class WhiteListDay:
    """The entry of a taxpayer on a day; the key is <NIP>/<day>. Of a day that is over, the answer is final."""

    rules: EntityRules

    def __call__(
        self,
        question: Question,
        system: System,
        endpoint: Endpoint,
        http: HttpClient,
        warehouse: psycopg.Connection[Any],
    ) -> Answer:
        nip, _, day = question.key.partition("/")
        now = datetime.now(UTC)
        subject, proof = entry_on(http, nip, date.fromisoformat(day))
        if subject is None:
            return Answer(question, "not_found", now, proof or None)
        record: dict[str, Any] = decode(subject)
        found = self.rules.mapped(warehouse, "white_list.subject", encode_with(record, nip))
        shown, hidden = self.rules.split(found)
        return Answer(
            question, "found", now, proof, [{"attributes": shown}], [{"attributes": hidden, "record": record}]
        )


def encode_with(record: Mapping[str, Any], nip: str) -> bytes:
    """The record as the stream has it, with the number that was asked about."""
    from onefold.serve.json_text import encode

    return encode({**record, "identifier": nip})


def account_key(nip: str, account: str, day: date) -> str:
    """What names a question about an account, without the account."""
    return f"{nip}/{day.isoformat()}/{hashlib.sha256(f'{nip} {account}'.encode()).hexdigest()[:40]}"


@dataclass(frozen=True, slots=True)
class AccountQuestion(Question):
    """A question about an account, which is not stored."""

    account: str = ""


def _account(
    question: Question, system: System, endpoint: Endpoint, http: HttpClient, warehouse: psycopg.Connection[Any]
) -> Answer:
    nip, day, _ = question.key.split("/")
    now = datetime.now(UTC)
    account = question.account if isinstance(question, AccountQuestion) else ""
    assigned, proof = account_on(http, nip, account, date.fromisoformat(day))
    return Answer(question, "found", now, proof or None, [{"assigned": assigned}])


def today_in_warsaw(now: datetime | None = None) -> date:
    """The day of the register of VAT payers."""
    return (now or datetime.now(UTC)).astimezone(WARSAW).date()


def _without_feed(system: System, stream_name: str) -> System:
    """One key is asked about: the feed of what changed is for loads."""
    stream = system.streams[stream_name]
    lookup = stream.lookup.model_copy(update={"feed": None}) if stream.lookup else None
    return system.model_copy(
        update={"streams": {**system.streams, stream_name: stream.model_copy(update={"lookup": lookup})}}
    )
