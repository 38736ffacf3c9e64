"""Which parts of a stream's records are personal, by the catalogue; what the law keeps; what is erased of a record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from onefold.catalog.fields import PersonalClass, SourceField
from onefold.catalog.stream import Stream
from onefold.privacy.law_periods import is_over, last_day
from onefold.privacy.values import Finder, Span, erased

PERSONAL: frozenset[PersonalClass] = frozenset({"contact", "identity", "sensitive"})
"""The classes of personal data of a person; those of an organisation are public record."""

Path = tuple[str, ...]
Scalar = str | int | float | bool
_STEP = re.compile(r'\.(\*\*)|\.?"([^"]+)"|\.?([^.\[\]"*\s?(]+)|\[(\d+)\]|(\[\*\]|\.\*)|\s*\?\s*(\([^)]*\))')


@dataclass(frozen=True, slots=True)
class Change:
    """A value of a record that is erased: its place, and what stands there then (None: null)."""

    path: Path
    to: str | None


@dataclass(frozen=True, slots=True)
class PersonalFields:
    """Places in a stream's records; a step `*` is any step. `plain` are those that are not personal."""

    personal: tuple[tuple[Path, str], ...]
    plain: tuple[Path, ...]
    lawful: tuple[Path, ...]
    technical: tuple[Path, ...]
    """The fields by which a record is found: they are plain, and are never changed."""
    law_since: Path = ()
    law_years: int = 0
    """For how many years after that of `law_since` the law keeps the lawful ones."""

    def kept_until(self, payload: object) -> date | None:
        """The last day on which the law demands to keep a record; None where its date is not known: for ever."""
        found = next((value for path, value in leaves(payload) if path == self.law_since), None)
        return last_day(found, self.law_years)

    def law_holds(self, payload: object) -> bool:
        """Whether a law still demands something of the record."""
        return bool(self.lawful) and not is_over(self.kept_until(payload))

    def is_personal(self, path: Path) -> bool:
        """Whether the place is that of a personal field, or within it."""
        return any(_within(path, place) for place, _ in self.personal)

    def is_plain(self, path: Path) -> bool:
        """Whether the catalogue says that the place holds nothing personal. Of what it does not know it does not."""
        return not self.is_personal(path) and any(_within(path, place) for place in self.plain)

    def is_kept(self, path: Path) -> bool:
        """Whether a law demands that it is kept (kept_by_law of the stream)."""
        return any(_within(path, place) for place in self.lawful)

    def is_technical(self, path: Path) -> bool:
        """Whether the record is found by what stands there."""
        return path in self.technical

    def name(self, path: Path) -> str:
        """The field at that place as the catalogue names it; else its first step, and nothing of its value."""
        return next((name for place, name in self.personal if _within(path, place)), path[0] if path else "")


UNKNOWN_FIELDS = PersonalFields((((), "the whole"),), (), (), ())
"""Of JSON that is no record of a stream: all of it may be personal."""


@lru_cache(maxsize=512)
def _places(text: str, *, dotted: bool) -> tuple[Path, ...]:
    """A field's place, and those that its filters compare."""
    if not text.startswith("$"):
        return (tuple(text.split(".")) if dotted else (text,),)
    steps: list[str] = []
    more: list[Path] = []
    for anywhere, quoted, plain, index, every, compared in _STEP.findall(text[1:]):
        if anywhere:
            break
        if compared:
            more += [(*steps, name) for name in re.findall(r"@\.(\w+)", compared)]
        else:
            steps.append(quoted or plain or index or ("*" if every else ""))
    return (tuple(steps), *more)


def places_of(name: str, field: SourceField) -> tuple[Path, ...]:
    """Where the field stands in a record, first of all its own place, then what its path compares."""
    return _places(field.path or name, dotted=field.path is not None)


def personal_fields(stream: Stream, also: frozenset[str] = frozenset()) -> PersonalFields:
    """The places of the stream's records by their class; those of `also` are personal whatever theirs. Keys, cursor and
    the flag of deletion are never personal: a record is found by them."""
    technical = _technical(stream)
    personal, plain = [], []
    for name, field in stream.fields.items():
        first, *compared = places_of(name, field)
        if (field.personal in PERSONAL or name in also) and name not in technical:
            personal.append((first, name))
        else:
            plain.append(first)
        plain += compared
    lawful = [
        places_of(name, stream.fields[name])[0] for name in (stream.kept_by_law.fields if stream.kept_by_law else ())
    ]
    law = stream.kept_by_law
    since = places_of(law.since, stream.fields[law.since])[0] if law else ()
    found_by = tuple(places_of(name, stream.fields[name])[0] for name in sorted(technical))
    kept = (since, law.years if law else 0)
    return PersonalFields(tuple(personal), tuple(plain), tuple(lawful), found_by, *kept)


def matches(path: Path, place: Path) -> bool:
    """Whether a place in a record is this one, in which a step `*` is any step."""
    return len(path) == len(place) and all(wanted in ("*", step) for step, wanted in zip(path, place, strict=True))


def class_places(stream: Stream, name: PersonalClass) -> tuple[Path, ...]:
    """The places of the fields of one class; keys, cursor and the flag of deletion are none of it."""
    technical = _technical(stream)
    return tuple(
        places_of(field_name, field)[0]
        for field_name, field in stream.fields.items()
        if field.personal == name and field_name not in technical
    )


def _technical(stream: Stream) -> set[str]:
    technical = {*stream.primary_key, *(stream.cursor.fields if stream.cursor else ())}
    return technical | ({stream.deletes.flag.field} if stream.deletes.flag else set())


def leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, Scalar]]:
    """Every single value of a record with its place; nulls are none."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from leaves(part, (*path, str(name)))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for number, part in enumerate(value):
            yield from leaves(part, (*path, str(number)))
    elif isinstance(value, str | int | float):
        yield path, value


def whole_changes(value: object) -> list[Change]:
    """Every value goes, and the names stay."""
    return [Change(path, None) for path, _ in leaves(value)]


def own_changes(payload: object, fields: PersonalFields, finder: Finder) -> tuple[list[Change], list[Path]]:
    """What is erased of a record of the person: all that the catalogue does not say is not personal, and the person's
    values in what it does. Returns the changes, and the places that a law keeps."""
    changes, kept = [], []
    holds = fields.law_holds(payload)
    for path, value in leaves(payload):
        if holds and fields.is_kept(path):
            if fields.is_personal(path):
                kept.append(path)
        elif not fields.is_plain(path):
            changes.append(Change(path, None))
        elif not fields.is_technical(path) and (spans := _found(value, finder, personal=True)):
            changes.append(Change(path, erased(str(value), spans)))
    return changes, kept


def found_changes(payload: object, fields: PersonalFields, finder: Finder) -> tuple[list[Change], list[Path]]:
    """What is erased of another's record: the values that are found, and what stands with one in the same object within
    the record (the name beside an address). Returns the changes, and the places that a law keeps."""
    changes: dict[Path, Change] = {}
    kept: list[Path] = []
    beside: set[Path] = set()
    every, holds = list(leaves(payload)), fields.law_holds(payload)
    for path, value in every:
        personal = fields.is_personal(path)
        if fields.is_technical(path) or not (spans := _found(value, finder, personal=personal)):
            continue
        if holds and fields.is_kept(path):
            kept.append(path)
            continue
        changes[path] = Change(path, erased(str(value), spans))
        if personal and len(path) > 1 and not path[-1].isdigit():
            beside.add(path[:-1])
    for path, _ in every:
        is_kept = holds and fields.is_kept(path)
        if path[:-1] in beside and path not in changes and fields.is_personal(path) and not is_kept:
            changes[path] = Change(path, None)
    return list(changes.values()), kept


def _found(value: Scalar, finder: Finder, *, personal: bool) -> Sequence[Span]:
    return () if isinstance(value, bool) else finder.find(str(value), personal=personal)


def _within(path: Path, place: Path) -> bool:
    return len(path) >= len(place) and all(wanted in ("*", step) for step, wanted in zip(path, place, strict=False))
