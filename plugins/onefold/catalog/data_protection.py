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
from onefold.catalog.yaml_file import CatalogError, Mistake, read_yaml
from onefold.settings import ROOT

FILE = "catalog/privacy.yaml"


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


def entity_periods(entity: Entity, systems: dict[str, System], everywhere: DataProtection) -> ClassRetention:
    """How long past golden records are kept: no longer than its attributes' classes and its streams allow."""
    own = everywhere.periods(attribute.personal for attribute in entity.attributes.values())
    fed = [
        stream_periods(systems[system].streams[stream], everywhere)
        for system, _, stream in (source.partition(".") for source in entity.streams)
    ]
    return own.model_copy(update={"history": min(each.history for each in (own, *fed))})


def check_data_protection(catalog: Catalog, root: Path = ROOT) -> DataProtection:
    """What is the same everywhere. Raises CatalogError with file and line of each stream that has personal fields and
    does not say their purpose, legal basis and persons, or whose class has no retention."""
    everywhere = read_data_protection(root)
    mistakes: list[Mistake] = []
    for system in catalog.systems.values():
        wrong = [(name, text) for name, stream in system.streams.items() for text in _missing(name, stream, everywhere)]
        if wrong:
            file = with_defaults(read_yaml(root / "catalog" / "systems" / f"{system.system}.yaml"))
            mistakes += [file.mistake(("streams", name, "privacy"), text) for name, text in wrong]
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


def _is_said(*texts: str | None) -> bool:
    """Whether somebody has written all of it; a draft's is still to be said."""
    return all(text and not text.startswith(TO_SAY) for text in texts)
