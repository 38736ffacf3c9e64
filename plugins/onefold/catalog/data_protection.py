"""Reads catalog/privacy.yaml, and checks that each stream with personal fields says why and how long they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from onefold.catalog.defaults import with_defaults
from onefold.catalog.entity import Entity
from onefold.catalog.fields import PersonalClass
from onefold.catalog.mistakes import mistakes_of
from onefold.catalog.privacy import TO_SAY, ClassRetention, DataProtection
from onefold.catalog.reader import Catalog
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.catalog.yaml_file import CatalogError, Mistake, Place, YamlFile, read_yaml
from onefold.settings import ROOT

FILE = "catalog/privacy.yaml"
_BY_CLASS = ("retention", "by_class")


def read_data_protection(root: Path = ROOT) -> DataProtection:
    """What catalog/privacy.yaml of a checkout says. Raises CatalogError with every mistake, or where it is missing."""
    path = root / FILE
    if not path.exists():
        text = "the file is missing; write who the controller is and how long data is kept (docs/data-protection.md)"
        raise CatalogError([Mistake(path, 1, text)])
    stat = path.stat()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=16)
def _read(path: Path, _changed: int, _size: int) -> DataProtection:
    file = read_yaml(path)
    try:
        return DataProtection.model_validate(file.value)
    except ValidationError as error:
        raise CatalogError(mistakes_of(error, DataProtection, file)) from None


def personal_classes(stream: Stream) -> dict[PersonalClass, list[str]]:
    """The stream's personal fields by class, both in the order of the file."""
    found: dict[PersonalClass, list[str]] = {}
    for name, field in stream.fields.items():
        if field.personal != "none":
            found.setdefault(field.personal, []).append(name)
    return found


def stream_periods(stream: Stream, everywhere: DataProtection) -> ClassRetention:
    """How long what is no longer current of a stream is kept."""
    return everywhere.periods(personal_classes(stream), stream.privacy.retention if stream.privacy else None)


def class_periods(stream: Stream) -> dict[PersonalClass, timedelta]:
    """How long values of a class are kept in the stream's history: of classes that it says so of and has fields of."""
    said = stream.privacy.retention.by_class if stream.privacy else {}
    there = personal_classes(stream)
    return {name: each.history for name, each in said.items() if name in there}


def entity_periods(entity: Entity, systems: dict[str, System], everywhere: DataProtection) -> ClassRetention:
    """How long past golden records are kept: no longer than its attributes' classes and its streams allow."""
    own = everywhere.periods(attribute.personal for attribute in entity.attributes.values())
    fed = [
        stream_periods(systems[system].streams[stream], everywhere)
        for system, _, stream in (source.partition(".") for source in entity.streams)
    ]
    return own.model_copy(update={"history": min(each.history for each in (own, *fed))})


def entity_class_periods(entity: Entity, systems: dict[str, System]) -> dict[PersonalClass, timedelta]:
    """How long values of a class are kept in past golden records: no longer than each stream says that gives an
    attribute of that class, be it of this class or of the class of the field that it is made of."""
    periods: dict[PersonalClass, timedelta] = {}
    for attribute in entity.attributes.values():
        for source, rule in attribute.sources.items():
            system, _, name = source.partition(".")
            stream = systems[system].streams[name]
            classes = {attribute.personal, *(stream.fields[field].personal for field in rule.fields)}
            said = [period for each, period in class_periods(stream).items() if each in classes]
            if attribute.personal != "none" and said:
                periods[attribute.personal] = min(*said, periods.get(attribute.personal, said[0]))
    return periods


def check_data_protection(catalog: Catalog, root: Path = ROOT) -> DataProtection:
    """What is the same everywhere. Raises CatalogError with file and line of each stream that has personal fields and
    does not say their purpose, legal basis and persons, or whose class has no retention."""
    everywhere = read_data_protection(root)
    mistakes: list[Mistake] = []
    for system in catalog.systems.values():
        wrong = [
            (("streams", name, "privacy", *place), text)
            for name, stream in system.streams.items()
            for place, text in (
                *(((), text) for text in _missing(name, stream, everywhere)),
                *_wrong_classes(name, stream, everywhere),
            )
        ]
        if wrong or any(_without_fields(stream) for stream in system.streams.values()):
            file = with_defaults(read_yaml(root / "catalog" / "systems" / f"{system.system}.yaml"))
            mistakes += [file.mistake(place, text) for place, text in (*wrong, *_useless_classes(system, file))]
    if mistakes:
        raise CatalogError(mistakes)
    return everywhere


def _missing(name: str, stream: Stream, everywhere: DataProtection) -> Iterator[str]:
    classes = personal_classes(stream)
    if not classes:
        return
    first = next(iter(classes.values()))[0]
    said = stream.privacy
    lacking = [
        key
        for key, given in (
            ("purpose", said and _is_said(said.purpose)),
            ("legal_basis", said and said.legal_basis),
            ("persons", said and said.persons and _is_said(*said.persons)),
            ("recipients", said is None or _is_said(*said.recipients)),
        )
        if not given
    ]
    if lacking:
        yield (
            f"{name} has personal fields ({first}, …) and does not say their {', '.join(lacking)}; add "
            '"privacy: {purpose: …, legal_basis: …, persons: […]}" to it, or to defaults for all streams'
        )
    law = stream.kept_by_law
    if law and classes.keys() <= everywhere.retention.keys():
        periods = stream_periods(stream, everywhere)
        if min(periods.history, periods.deleted) < timedelta(days=365 * law.years):
            yield (
                f"{name}: {law.basis} demands {law.years} years, and retention is shorter; add "
                f'"privacy: {{retention: {{history: P{law.years + 1}Y, deleted: P{law.years + 1}Y}}}}" to it'
            )
    for unknown in [each for each in classes if each not in everywhere.retention]:
        yield f'{name}: {FILE} does not say how long class "{unknown}" is kept; add it under retention'


def _wrong_classes(name: str, stream: Stream, everywhere: DataProtection) -> Iterator[tuple[Place, str]]:
    """Classes that are said to be kept for longer than the versions that hold them."""
    if not personal_classes(stream).keys() <= everywhere.retention.keys():
        return  # how long those are kept is said nowhere, which is a mistake of its own
    whole = stream_periods(stream, everywhere).history
    for each, period in class_periods(stream).items():
        if period > whole:
            text = (
                f"{name}: values of class {each} cannot be kept for {period.days} days where the versions that hold "
                f'them are kept for {whole.days}; say less, or a longer "retention: {{history: …}}" of the stream'
            )
            yield (*_BY_CLASS, each, "history"), text


def _without_fields(stream: Stream) -> list[str]:
    """The classes that by_class says and no field of the stream has."""
    said = stream.privacy.retention.by_class if stream.privacy else {}
    return [each for each in said if each not in personal_classes(stream)]


def _useless_classes(system: System, file: YamlFile) -> Iterator[tuple[Place, str]]:
    """Those that a stream says itself; what defaults say is for the streams that have such fields."""
    for name, stream in system.streams.items():
        for each in _without_fields(stream):
            place = ("streams", name, "privacy", *_BY_CLASS, each)
            if place not in file.inherited:
                have = ", ".join(personal_classes(stream)) or "none"
                text = f"{name} has no field of class {each}; remove it, or give a field that class (it has: {have})"
                yield place, text


def _is_said(*texts: str | None) -> bool:
    """Whether somebody has written all of it; a draft's is still to be said."""
    return all(text and not text.startswith(TO_SAY) for text in texts)
