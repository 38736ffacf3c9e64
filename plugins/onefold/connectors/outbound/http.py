"""What all targets over HTTP have in common: answers as JSON, bodies with exact numbers, and what a refusal says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from onefold.catalog.system import System
from onefold.connectors.outbound.contract import Change, Outcome, Place, Result, Value
from onefold.connectors.records import sound_json
from onefold.foreign_text import described
from onefold.http.attempt import BadBody, Response
from onefold.http.failure import NotSent, Refused, WriteRefused
from onefold.http.known_words import known_words


class Moved(WriteRefused):
    """The record is not in the version that the change was made for, or is gone."""


EMPTY = frozenset({201, 202, 204})
"""Statuses that a write may be answered with and no body."""
encode = msgspec.json.Encoder(decimal_format="number").encode
"""A JSON body whose numbers have the digits that they were given."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: `body` is its JSON with exact numbers, None where it has none. Its repr shows no values."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    text: bytes = field(repr=False)

    def at(self, *path: str) -> Any:
        """What is at the path of the body; None where there is nothing."""
        found = self.body
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def require_objects(self, *path: str) -> list[dict[str, Any]]:
        """The list of objects at the path. Raises BadBody when there is none: it is not what was asked for."""
        found = self.at(*path) if path else self.body
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise BadBody("JSON without the list of records that was asked for")
        return found


def whole_answer(response: Response) -> Answer:
    """The answer to a question or a write. Raises BadBody when its body is not whole JSON."""
    text = response.body
    if response.status in EMPTY and not text.strip():
        return Answer(response.status, response.headers, None, b"")
    body = json.loads(sound_json(response), parse_float=Decimal, parse_int=Decimal)
    return Answer(response.status, response.headers, body, text)


def any_answer(response: Response) -> Answer:
    """As whole_answer; an error's answer may have any body."""
    if response.status < 300:
        return whole_answer(response)
    try:
        return whole_answer(response)
    except (BadBody, ValueError):
        return Answer(response.status, response.headers, None, response.body)


def raise_refused(place: Place, answer: Answer, advice: str) -> None:
    """Raise NotSent where the answer says that it may be asked later, else WriteRefused; of its words, those that are
    known."""
    told = described(answer.text, known_words(place.system))
    text = f"{place.named}: refused with status {answer.status}{f' ({told})' if told else ''}."
    if "Retry-After" in answer.headers or says_later(place.system, answer.text):
        raise NotSent(f"{text} It may be asked again later.")
    raise WriteRefused(f"{text} {advice}")


def says_later(system: System, text: bytes) -> bool:
    """Whether the text has a word with which the system says that it is only busy (errors.retry, quota_exhausted)."""
    return any(word.encode() in text for word in (*system.errors.retry, *system.errors.quota_exhausted))


def moved_or_raise(place: Place, change: Change, error: Refused) -> Outcome:
    """The outcome of a change of a record that the target refused because of its version, or because it is gone."""
    reason = {
        404: "the record is gone.",
        410: "the record is gone.",
        412: "the record was changed since it was read.",
    }.get(error.status)
    if reason is None or change.kind == "create":
        raise error
    return Outcome(change.id, Result.MOVED, change.key, reason=f"{place.named}: {reason}")


def written(change: Change, place: Place) -> dict[str, Value]:
    """The fields of the change and our reference."""
    return {**change.fields, place.reference: change.reference}


def parts(values: Sequence[str], size: int) -> list[Sequence[str]]:
    """The values in groups of at most so many, each of them once."""
    once = list(dict.fromkeys(values))
    return [once[start : start + size] for start in range(0, len(once), size)]
