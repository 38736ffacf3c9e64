"""What in a person's own records is somebody else's: it is not handed out (Article 15(4) GDPR).

Somebody else's is an e-mail address or a PESEL by which the person is not known, a phone number in a field that is not
the person's own, the full name of another person whom the warehouse knows, and what stands with one of these in the
same object within the record (the name beside an address).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from onefold.catalog.reader import Catalog
from onefold.privacy.personal_fields import Path, PersonalFields, leaves
from onefold.privacy.subject import Subject
from onefold.privacy.values import PersonalValue, Span, full_name, values_in

SOMEBODY_ELSES = "[of somebody else]"


@dataclass(frozen=True, slots=True)
class Others:
    """Tells the person's values from others'. `names` are the full names of other people, in their normal form."""

    own: frozenset[PersonalValue] = field(repr=False)
    names: frozenset[str] = field(repr=False)

    def readable_values(self, payload: object, fields: PersonalFields, own_places: Sequence[Path]) -> dict[str, str]:
        """Every value of a record by its field, as the catalogue names it or by its place, without others' values.

        own_places: where the person's own identifiers and names stand.
        """
        found: dict[str, str] = {}
        hidden: set[Path] = set()
        every = list(leaves(payload))
        for path, value in every:
            is_own = any(_at(path, place) for place in own_places)
            text = self.without_others(str(value), is_own=is_own)
            found[".".join(path)] = text
            if text != str(value) and len(path) > 1 and not path[-1].isdigit():
                hidden.add(path[:-1])
        for path, value in every:
            name = ".".join(path)
            if path[:-1] in hidden and found[name] == str(value) and fields.is_personal(path):
                found[name] = SOMEBODY_ELSES
        return found

    def without_others(self, text: str, *, is_own: bool) -> str:
        """The text without others' values; `is_own`: it stands where the person's own stand."""
        spans = [span for value, span in values_in(text, personal=True) if self._is_others(value, is_own=is_own)]
        return _replaced(text, spans)

    def _is_others(self, value: PersonalValue, *, is_own: bool) -> bool:
        match value.kind:
            case "email" | "pesel":
                return value not in self.own
            case "phone":
                return not is_own and value not in self.own and len(value.text) == 9
            case "name":
                return value.text in self.names


def other_people(connection: psycopg.Connection, catalog: Catalog, subject: Subject) -> Others:
    """Everybody but the person, by the golden records of persons, past ones too."""
    names: set[str] = set()
    own = {value.text for value in subject.values if value.kind == "name"}
    for entity in catalog.entities.values():
        if entity.person is None or not entity.person.names:
            continue
        theirs = [golden_id for name, golden_id in subject.golden if name == entity.entity]
        rows = connection.execute(
            sql.SQL("select distinct {}, {}::text = any (%s) from conformed.{}").format(
                sql.SQL(", ").join(map(sql.Identifier, entity.person.names)),
                sql.Identifier(f"{entity.entity}_id"),
                sql.Identifier(f"{entity.entity}_version"),
            ),
            (theirs,),
        ).fetchall()
        for *words, is_theirs in rows:
            if found := full_name(word for word in words if word):
                (own if is_theirs else names).add(found.text)
    return Others(subject.values, frozenset(names - own))


def _replaced(text: str, spans: Sequence[Span]) -> str:
    left, position = [], 0
    for span in sorted(spans, key=lambda each: each.start):
        if span.start >= position:
            left += [text[position : span.start], SOMEBODY_ELSES]
        position = max(position, span.end)
    return "".join([*left, text[position:]])


def _at(path: Path, place: Path) -> bool:
    return len(path) == len(place) and all(wanted in ("*", step) for step, wanted in zip(path, place, strict=True))
