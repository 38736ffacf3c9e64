"""REST interfaces as targets, by their YAML alone: where each kind of change is sent and what each status means.

Idempotent is such an interface only where it takes a key for it ({id} in a header). A version is kept to by the
interface itself where {version} stands in the request; else the record is read and compared right before the write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Unpack
from urllib.parse import quote

from onefold.connectors.outbound.applied import applied
from onefold.connectors.outbound.contract import Change, Current, Outbound, Outcome, Place, Result, Value
from onefold.connectors.outbound.http import Answer, any_answer, encode, moved_or_raise, parts, whole_answer, written
from onefold.connectors.outbound.json_values import from_json, in_json
from onefold.connectors.outbound.rest.settings import Meaning, Question, Write, rest_settings
from onefold.connectors.outbound.settings import filled
from onefold.connectors.outbound.version import fields_version
from onefold.errors import Fatal
from onefold.foreign_text import described
from onefold.http.attempt import Attempt, BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.failure import NotSent, Refused, Unanswered, WriteRefused
from onefold.http.known_words import known_words
from onefold.http.persistent import AttemptSettings

GONE = frozenset({404, 410})
PAGES = 10_000


class RestOutbound(Outbound):
    """Writes records of one kind and reads them."""

    batch = 100

    def __init__(self, place: Place, http: Client) -> None:
        super().__init__(place)
        self._http = http
        self._settings = rest_settings(place)

    def close(self) -> None:
        self._http.close()

    def apply(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        return applied(self, changes, self._apply)

    def find(self, references: Sequence[str]) -> Sequence[Current]:
        found = []
        for (reference,) in parts(references, 1):
            there = self._asked(self._settings.find, {"reference": reference})
            if any(each.reference != reference for each in there):
                raise self._not_searched("find", self.place.reference)
            found += there
        return found

    def read(self, keys: Sequence[str]) -> Sequence[Current]:
        there = [each for (key,) in parts(keys, 1) for each in self._asked(self._settings.read, {"key": key})]
        if {each.key for each in there} - set(keys):
            raise self._not_searched("read", self.place.key)
        return there

    def match(self, field: str, value: Value) -> Sequence[Current]:
        question = self._settings.match
        if question is None:
            raise Fatal(f"{self.place.named}: nothing says how to search by {field}. Say settings.match in its YAML.")
        text = "" if value is None else str(in_json(value))
        there = self._asked(question, {"field": field, "value": text})
        if any(str(each.fields.get(field)).casefold() != str(value).casefold() for each in there):
            raise self._not_searched("match", field)
        return there

    def _not_searched(self, name: str, field: str) -> Fatal:
        return Fatal(
            f"{self.place.named}: settings.{name} gave records with another {field} than was asked for: it does not "
            "know the parameter, so nothing can be searched. Compare its YAML with the interface."
        )

    def _apply(self, change: Change) -> Outcome:
        write = self._settings.write(change.kind)
        if write is None:
            raise WriteRefused(f"{self.place.named}: its YAML says no settings.{change.kind}.")
        if change.kind != "create" and not any("{version}" in text for text in write.texts()):
            there = next(iter(self.read([change.key or ""])), None)
            if there is None or there.version != change.version:
                reason = f"{self.place.named}: the record was changed since it was read, or is gone."
                return Outcome(change.id, Result.MOVED, change.key, reason=reason)
        try:
            answer = self._sent(write, change)
        except Refused as error:
            return moved_or_raise(self.place, change, error)
        meaning = write.status.get(answer.status, "done")
        return self._done(change, answer) if meaning == "done" else self._meant(change, answer, meaning)

    def _sent(self, write: Write, change: Change) -> Answer:
        values = {"id": change.id, "reference": change.reference}
        values |= {"key": change.key or "", "version": change.version or ""}
        headers = {name: filled(text, values) for name, text in write.headers.items()}
        if any(set(text) & set("\r\n\0") or not text.isascii() for text in headers.values()):
            raise WriteRefused(f"{self.place.named}: a header cannot hold one of {', '.join(headers)}.")
        body = None
        if change.kind != "delete":
            headers["Content-Type"] = "application/json"
            body = encode(self._body(write, change, values))
        path = filled(write.path, {name: quote(text, safe="") for name, text in values.items()})
        return self._http.send_once(
            write.method,
            path,
            parse=partial(self._parsed, change),
            headers={"Accept": "application/json", **headers},
            body=body,
            accept=frozenset(write.status),
            shown=write.path,
        )

    def _body(self, write: Write, change: Change, values: Mapping[str, str]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name, text in write.body.items():
            _put(body, name, filled(text, values) if isinstance(text, str) else text)
        for name, value in written(change, self.place).items():
            _put(body, f"{write.within}.{name}" if write.within else name, in_json(value))
        return body

    def _parsed(self, change: Change, response: Response) -> Answer:
        """The answer to a write; one that says that it is done tells the key of what was created."""
        answer = any_answer(response)
        if change.kind == "create" and response.status < 300:
            self._key(answer)
        return answer

    def _key(self, answer: Answer) -> str:
        key = _at(_at(answer.body, self._settings.record), self.place.key)
        if key is None:
            raise BadBody("an answer to a create without the record's key")
        return str(key)

    def _done(self, change: Change, answer: Answer) -> Outcome:
        key = self._key(answer) if change.kind == "create" else change.key
        return Outcome(change.id, Result.DONE, key, self._version(answer, _at(answer.body, self._settings.record)))

    def _meant(self, change: Change, answer: Answer, meaning: Meaning) -> Outcome:
        told = described(answer.text, known_words(self.place.system))
        text = f"{self.place.named}: status {answer.status}{f' ({told})' if told else ''}"
        if meaning == "existing":
            there = next(iter(self.find([change.reference])), None)
            same = there and all(there.fields.get(name) == value for name, value in change.fields.items())
            if there and same:
                return Outcome(change.id, Result.DONE, there.key, there.version)
            if there:
                reason = f"{text}: there is a record with our reference, and it is not what we write."
                return Outcome(change.id, Result.MOVED, there.key, there.version, reason)
            raise Unanswered(f"{text}: it says that there is such a record, and it is not found.")
        if meaning == "ambiguous":
            raise Unanswered(f"{text}. Nobody knows whether it was carried out")
        if meaning == "not_sent":
            raise NotSent(f"{text}. It was not carried out")
        if meaning == "moved":
            return Outcome(change.id, Result.MOVED, change.key, reason=f"{text}: the record was changed meanwhile.")
        raise WriteRefused(f"{text}. The request does not fit the interface: compare the record and its YAML with it.")

    def _asked(self, question: Question, values: Mapping[str, str]) -> list[Current]:
        params: dict[str, str] | None = {
            filled(name, values): filled(text, values) for name, text in question.params.items()
        }
        address = filled(question.path, {name: quote(text, safe="") for name, text in values.items()})
        seen, found = set[str](), list[Current]()
        while address not in seen and len(seen) < PAGES:
            seen.add(address)
            answer = self._http.send(
                "GET",
                address,
                params=params,
                headers={"Accept": "application/json"},
                parse=partial(self._read, question),
                accept=GONE if question.records is None else frozenset(),
                shown=question.path,
            )
            found += self._records(question, answer)
            following = _at(answer.body, question.next) if question.next else None
            if not following:
                return found
            address, params = self._http.following(address, str(following), self.place.named), None
        raise Fatal(f"{self.place.named}: its pages lead in a circle, so what was searched cannot be known.")

    def _read(self, question: Question, response: Response) -> Answer:
        if response.status in GONE:
            return Answer(response.status, response.headers, None, b"")
        answer = whole_answer(response)
        self._records(question, answer)
        return answer

    def _records(self, question: Question, answer: Answer) -> list[Current]:
        if answer.status in GONE:
            return []
        if question.records is not None:
            path = [name for name in question.records.split(".") if name]
            return [self._current(answer, record) for record in answer.require_objects(*path)]
        record = _at(answer.body, self._settings.record)
        if not isinstance(record, dict):
            raise BadBody("JSON that is not the record that was asked for")
        return [self._current(answer, record)]

    def _current(self, answer: Answer, record: Mapping[str, Any]) -> Current:
        place = self.place
        key, reference = _at(record, place.key), _at(record, place.reference)
        if key is None:
            raise BadBody("a record without its key")
        fields = {name: from_json(_at(record, name), place.kind(name)) for name in place.fields}
        version = self._version(answer, record) or fields_version({**fields, place.reference: str(reference)})
        return Current(str(key), str(reference) if reference not in (None, "") else None, fields, version)

    def _version(self, answer: Answer, record: object) -> str | None:
        path = self._settings.version
        found = answer.headers.get("ETag") if path == "ETag" else _at(record, path) if path else None
        return None if found is None else str(found)


def _at(document: object, path: str) -> object:
    """What is at a dotted path; None where there is nothing."""
    for name in filter(None, path.split(".")):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _put(body: dict[str, Any], path: str, value: object) -> None:
    *within, last = path.split(".")
    for name in within:
        body = body.setdefault(name, {})
    body[last] = value


def open_rest(
    place: Place, endpoint: Endpoint, on_attempt: Callable[[Attempt], None], **settings: Unpack[AttemptSettings]
) -> RestOutbound:
    """What writes to a REST interface. Raises Fatal when its settings are wrong."""
    return RestOutbound(place, Client(place.system, endpoint, on_attempt, **settings))
