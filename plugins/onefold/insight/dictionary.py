"""The data dictionary: every system, stream, field, entity, attribute, transform, suite, class of personal data, mart
and its columns, each with a name of its own, and the search among them. From the YAML of the catalogue and dbt's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from onefold.catalog.entity import Entity
from onefold.catalog.fields import PersonalClass
from onefold.catalog.reader import read_catalog
from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.insight.marts import Mart, read_marts
from onefold.insight.page import bounded
from onefold.mapping.sql import transform_meanings, transform_types
from onefold.privacy.values import fold
from onefold.settings import ROOT

Kind = Literal["entity", "mart", "system", "attribute", "column", "stream", "field", "transform", "suite", "class"]
"""In the order in which they are shown."""
KINDS: tuple[Kind, ...] = get_args(Kind)
CLASSES: Mapping[PersonalClass, str] = {
    "organisation": "says something of an organisation; of a sole trader, who is a natural person, it is personal",
    "contact": "how a person is reached: e-mail address, phone number, street",
    "identity": "who a person is: name, tax number, login",
    "sensitive": "what harms a person when it gets about: PESEL, birth date, pay, account number",
}


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of the dictionary. `name` is unique within its kind: krs.extract.nip of a field, company.krs of an
    attribute, receivables.age of a mart's column. `words`: what else it is found by."""

    kind: Kind
    name: str
    meaning: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Transform:
    """`gives`: the SQL type of its values."""

    name: str
    gives: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Dictionary:
    """What the dictionary is read from."""

    systems: Mapping[str, System]
    entities: Mapping[str, Entity]
    transforms: Mapping[str, Transform]
    marts: Mapping[str, Mart]

    def things(self) -> Iterator[Thing]:
        """All of it, each once."""
        for name, system in self.systems.items():
            yield Thing("system", name, system.title, f"{system.protocol} {system.connection}")
            for stream, each in system.streams.items():
                yield Thing("stream", f"{name}.{stream}", each.title)
                yield Thing("suite", f"{name}__{stream}", f"Expectations of the stream {name}.{stream}")
                for field, said in each.fields.items():
                    yield Thing(
                        "field", f"{name}.{stream}.{field}", _of_class(said.type, said.personal), said.path or ""
                    )
        for name, entity in self.entities.items():
            yield Thing("entity", name, entity.title)
            yield Thing("suite", name, f"Expectations of the entity {name}")
            for attribute, meant in entity.attributes.items():
                yield Thing("attribute", f"{name}.{attribute}", meant.meaning, _of_class(meant.type, meant.personal))
        for name, transform in self.transforms.items():
            yield Thing("transform", name, transform.meaning, transform.gives)
        for personal, meaning in CLASSES.items():
            yield Thing("class", personal, meaning, "personal data")
        for name, mart in self.marts.items():
            yield Thing("mart", name, mart.meaning)
            for column in mart.columns.values():
                yield Thing("column", f"{name}.{column.name}", column.meaning)


def read_dictionary(root: Path = ROOT) -> Dictionary:
    """The dictionary of a checkout. Raises CatalogError where the catalogue has mistakes."""
    catalog = read_catalog(root)
    meanings = transform_meanings()
    transforms = {name: Transform(name, gives, meanings[name]) for name, gives in transform_types().items()}
    return Dictionary(catalog.systems, catalog.entities, transforms, read_marts(root))


@dataclass(frozen=True, slots=True)
class Found:
    """Some of what was found, the best first. `counts`: how many there are of each kind, the chosen one or not;
    `after`: the place from which the next page goes on; None: this is the last."""

    things: tuple[Thing, ...]
    counts: Mapping[Kind, int]
    after: int | None


def search(
    dictionary: Dictionary, words: str = "", kind: Kind | None = None, after: int = 0, limit: int = 100
) -> Found:
    """What has every one of the words, or a part of it, in its name or meaning, whatever capitals and accents; of one
    kind or all. No words: everything. Raises Fatal for a limit that no page has, or a negative place."""
    if after < 0:
        raise Fatal(f"a page begins at a place from 0 on, not {after:,}")
    asked = folded(words).split()
    ranked = [
        (rank, place, thing)
        for place, thing in enumerate(dictionary.things())
        if (rank := _rank(thing, asked)) is not None
    ]
    counted = Counter(thing.kind for _, _, thing in ranked)
    chosen = [each for each in ranked if kind is None or each[2].kind == kind]
    chosen.sort(key=lambda each: (each[0], KINDS.index(each[2].kind), each[1]))
    page: Sequence[tuple[int, int, Thing]] = chosen[after : after + bounded(limit)]
    more = len(chosen) > after + limit
    counts: dict[Kind, int] = {each: counted[each] for each in KINDS}
    return Found(tuple(thing for _, _, thing in page), counts, after + limit if more else None)


def folded(text: str) -> str:
    """Without capitals and accents; what joins the words of a name is a blank."""
    return fold(text).translate(_JOINS)


_JOINS = str.maketrans("_.", "  ")


def _of_class(kind: str, personal: PersonalClass) -> str:
    return kind if personal == "none" else f"{kind}, personal data: {personal}"


def _rank(thing: Thing, asked: Sequence[str]) -> int | None:
    """0 for what is called so, more the less it is; None where a word is missing."""
    if not asked:
        return 0
    name = folded(thing.name)
    whole = " ".join(asked)
    last = folded(thing.name.rpartition(".")[2])
    if whole in (name, last):
        return 0
    if all(word in name for word in asked):
        return 1 if name.startswith(whole) or last.startswith(whole) else 2
    return 3 if all(word in f"{name} {folded(thing.meaning)} {folded(thing.words)}" for word in asked) else None
