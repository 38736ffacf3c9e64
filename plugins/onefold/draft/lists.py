"""Which list of an answer is its data: not its warnings, its links or what comes along."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from onefold.draft.guesses import looks_like_a_key, singular

DATA = frozenset({
    "data", "items", "results", "result", "records", "rows", "value", "values", "entries", "content", "elements",
    "hits", "objects", "resources", "list", "entities", "collection", "documents", "docs", "payload", "response", "d",
})  # fmt: skip
"""What the list of the data is called where it is not called by what it holds."""
BESIDES = re.compile(
    r"^(warnings?|errors?|messages?|notices?|issues|links?|_links|meta|metadata|facets|included|validations?|"
    r"violations?|filters?|sort|sorts|headers|columns|fields|schema|debug|info|actions|permissions|aggregations?|"
    r"suggestions?|breadcrumbs?|tags)$",
    re.IGNORECASE,
)
_DEEPEST = 3
_TOO_LITTLE = -3.0
_OWN_KEY = re.compile(r"(_?id|uuid|guid|key|number|code|name|slug|title|.+_id)", re.IGNORECASE)
_ONE = re.compile(r"_?id|uuid|guid", re.IGNORECASE)
_MANY = 6
_OF_A_RECORD = 12.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A list of objects in an answer: the keys that lead to it, the names of its objects' fields, and how much speaks
    for it."""

    keys: tuple[str, ...]
    fields: tuple[str, ...]
    score: float


class Answers(Protocol):
    """What an answer's schema or example says of its parts."""

    def members(self, node: object) -> Iterable[tuple[str, object]]:
        """The parts of an object by name."""

    def listed(self, node: object) -> tuple[str, ...] | None:
        """The names of the fields of a list's objects; None where the node is no list of objects."""


def candidates(answers: Answers, body: object, named: str) -> list[Candidate]:
    """The lists of objects in an answer, the likeliest first; none where the answer is rather one object that has some.
    `named` is what the stream is called."""
    found = sorted(_found(answers, body, (), named), key=lambda each: -each.score)
    return found if found and found[0].score > _TOO_LITTLE else []


def by_ids(
    answers: Answers, body: object, objects: Callable[[object], object]
) -> tuple[tuple[str, ...], object] | None:
    """Where the answer has an object of records by their ids, and those records as `objects` gives them: the answer
    itself, or what is named as data are; None where there is none."""
    if found := objects(body):
        return (), found
    for name, below in answers.members(body):
        if re.sub(r"[^a-z]", "", name.lower()) in DATA and (found := objects(below)):
            return (name,), found
    return None


def doubt(found: list[Candidate]) -> str | None:
    """What to check of the choice: None where the answer is the list itself, or is plainly one."""
    best, *others = found
    if not best.keys:
        return None
    if others:
        names = ", ".join(".".join(each.keys) for each in others[:3])
        return f"it is a guess, the answer has the lists {names} too"
    return "it is a guess" if best.score < 1 else None


def scalar_places(answers: Answers, node: object, depth: int = _DEEPEST) -> list[tuple[str, ...]]:
    """Where the answer has scalars beside its lists: what may lead to the next page."""
    found: list[tuple[str, ...]] = []
    for name, below in answers.members(node):
        if answers.listed(below) is not None:
            continue
        inner = scalar_places(answers, below, depth - 1) if depth > 1 else []
        found += [(name, *keys) for keys in inner] or [(name,)]
    return found


def _found(answers: Answers, node: object, keys: tuple[str, ...], named: str) -> Iterator[Candidate]:
    fields = answers.listed(node)
    if fields is not None:
        if fields:
            yield Candidate(keys, fields, _score(keys, fields, named))
        return
    if len(keys) < _DEEPEST:
        members = list(answers.members(node))
        of_one = _is_one_record(answers, members)
        for name, below in members:
            for each in _found(answers, below, (*keys, name), named):
                yield replace(each, score=each.score - _OF_A_RECORD) if of_one else each


def _is_one_record(answers: Answers, members: list[tuple[str, object]]) -> bool:
    """Whether an object with these parts is a record itself, with lists of its own, rather than a page of records."""
    scalars = [name for name, below in members if answers.listed(below) is None and not list(answers.members(below))]
    keys = [name for name in scalars if _OWN_KEY.fullmatch(name)]
    return bool(keys) and (len(scalars) > _MANY or any(map(_ONE.fullmatch, keys)))


def _score(keys: tuple[str, ...], fields: tuple[str, ...], named: str) -> float:
    name = keys[-1] if keys else ""
    plain, of_stream = re.sub(r"[^a-z]", "", name.lower()), re.sub(r"[^a-z]", "", named.lower())
    score = -1.0 * len(keys) + min(len(fields), 20) / 20
    if plain and (plain == of_stream or singular(plain) == singular(of_stream)):
        score += 6
    elif plain and (plain in of_stream or of_stream in plain):
        score += 3
    if not keys or plain in DATA:
        score += 4
    if any(BESIDES.match(each) for each in keys) and plain != of_stream:
        score -= 8
    return score + (2 if any(map(looks_like_a_key, fields)) else 0)
