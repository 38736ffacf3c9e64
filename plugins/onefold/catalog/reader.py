"""Reads and checks the catalogue: every file by itself, and that what one file names exists in the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from croniter import croniter
from pydantic import BaseModel, ValidationError

from onefold.catalog.defaults import with_defaults
from onefold.catalog.entity import Entity, Rule
from onefold.catalog.ignored_settings import ignored_settings
from onefold.catalog.mistakes import did_you_mean, mistakes_of, mistakes_of_a_part
from onefold.catalog.paging_mistakes import paging_mistakes
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.catalog.yaml_file import CatalogError, Mistake, Place, YamlFile, read_yaml
from onefold.settings import ROOT

SYSTEMS = ROOT / "catalog" / "systems"
ENTITIES = ROOT / "catalog" / "entities"
TRANSFORMS = ROOT / "dbt_project" / "macros" / "transforms"
MODULES = ROOT / "plugins" / "onefold" / "systems"

Found = TypeVar("Found", bound=BaseModel)
Wrong = Iterator[tuple[Place, str]]


def read_systems(folder: Path = SYSTEMS) -> dict[str, System]:
    """Every system of the catalogue by name, sorted. Raises CatalogError: the mistakes of all files at once.

    A file is parsed again only when it has changed, so a DAG file may call this freely.
    """
    return read_folder(folder, _read_system)


def read_entities(
    folder: Path = ENTITIES, systems: dict[str, System] | None = None, transforms: Path = TRANSFORMS
) -> dict[str, Entity]:
    """Every entity of the mapping catalogue by name, sorted, checked against the systems that it names.

    Raises CatalogError with the mistakes of all files at once. One may stand in a system's file: a lookup
    that names an attribute which no entity has.
    """
    systems = read_systems() if systems is None else systems
    entities = read_folder(folder, _read_entity)
    known = frozenset(path.stem for path in transforms.glob("*.sql"))
    mistakes: list[Mistake] = []
    for name, entity in entities.items():
        wrong = list(_wrong_names(entity, systems, entities, known))
        if wrong:
            file = read_yaml(folder / f"{name}.yaml")
            mistakes += [file.mistake(place, text) for place, text in wrong]
    for system in systems.values():
        wrong = list(_wrong_lookups(system, entities))
        if wrong:
            path = folder.parent / "systems" / f"{system.system}.yaml"
            file = with_defaults(read_yaml(path)) if path.exists() else YamlFile(path, None, {})
            mistakes += [file.mistake(place, text) for place, text in wrong]
    if mistakes:
        raise CatalogError(mistakes)
    return entities


@dataclass(frozen=True, slots=True)
class Catalog:
    """All that is integrated."""

    systems: dict[str, System]
    entities: dict[str, Entity]


def read_catalog(root: Path = ROOT) -> Catalog:
    """The whole catalogue of a checkout. Raises CatalogError; entities are read once systems are right."""
    systems = read_systems(root / "catalog" / "systems")
    transforms = root / "dbt_project" / "macros" / "transforms"
    return Catalog(systems, read_entities(root / "catalog" / "entities", systems, transforms))


def read_folder(folder: Path, read: Callable[[Path, int, int], Found]) -> dict[str, Found]:
    """The folder's files by name, sorted. Raises CatalogError: the mistakes of all of them at once."""
    found: dict[str, Found] = {}
    mistakes = [Mistake(path, 1, "rename it: the ending must be .yaml") for path in folder.glob("*.yml")]
    for path in sorted(folder.glob("*.yaml")):
        try:
            stat = path.stat()
            found[path.stem] = read(path, stat.st_mtime_ns, stat.st_size)
        except CatalogError as error:
            mistakes += error.mistakes
    if mistakes:
        raise CatalogError(mistakes)
    return found


@lru_cache(maxsize=256)
def _read_system(path: Path, _changed: int, _size: int) -> System:
    written = read_yaml(path)
    mistakes = _wrong_defaults(written)
    try:
        file = with_defaults(written)
        system = model_of(file, System, "system")
    except CatalogError as error:
        lines = {mistake.line for mistake in error.mistakes}
        raise CatalogError([*error.mistakes, *(each for each in mistakes if each.line not in lines)]) from None
    if not croniter.is_valid(system.schedule):
        text = f'"{system.schedule}" is not cron; write five fields, for example "0 2 * * *" (02:00 UTC)'
        mistakes.append(file.mistake(("schedule",), text))
    if system.python and not _exists(system.python.module):
        modules = {path.stem for path in MODULES.glob("[!_]*") if _exists(path.stem)}
        remedy = did_you_mean(system.python.module, modules, "modules in systems/")
        mistakes.append(file.mistake(("python", "module"), f'no module "{system.python.module}"; {remedy}'))
    for name, stream in system.streams.items() if not system.python else ():
        mistakes += [
            file.mistake(("streams", name, *where.split(".")), f"{name}: {text}")
            for where, text in (*ignored_settings(system.protocol, stream), *paging_mistakes(system.protocol, stream))
        ]
    if mistakes:
        raise CatalogError(mistakes)
    return system


def _exists(module: str) -> bool:
    """Whether systems/ has the module, a file or a folder."""
    return (MODULES / f"{module}.py").exists() or (MODULES / module / "connector.py").exists()


def _wrong_defaults(file: YamlFile) -> list[Mistake]:
    """What no stream could get from defaults, as an unknown key: also where every stream says something else."""
    defaults = file.value.get("defaults") if isinstance(file.value, dict) else None
    if isinstance(defaults, dict):
        try:
            Stream.model_validate({key: value for key, value in defaults.items() if key != "vars"})
        except ValidationError as error:
            return mistakes_of_a_part(error, Stream, file, ("defaults",))
    return []


@lru_cache(maxsize=256)
def _read_entity(path: Path, _changed: int, _size: int) -> Entity:
    return read_model(path, Entity, "entity")[0]


def read_model(path: Path, model: type[Found], kind: str) -> tuple[Found, YamlFile]:
    """One file as its model, and the file, which knows its lines. `kind` is the key whose value is the file's name.

    Raises CatalogError with every mistake of the file.
    """
    file = read_yaml(path)
    return model_of(file, model, kind), file


def model_of(file: YamlFile, model: type[Found], kind: str) -> Found:
    """A file's values as a model. Raises CatalogError with every mistake of the file."""
    try:
        found = model.model_validate(file.value)
    except ValidationError as error:
        raise CatalogError(mistakes_of(error, model, file)) from None
    name = getattr(found, kind)
    if name != file.path.stem:
        text = f'{kind} is "{name}" but the file is {file.path.name}; rename one: they must be the same'
        raise CatalogError([file.mistake((kind,), text)])
    return found


def _wrong_names(
    entity: Entity, systems: dict[str, System], entities: dict[str, Entity], transforms: frozenset[str]
) -> Wrong:
    """What an entity names and nobody has."""
    for at, system in enumerate(entity.trust):
        if system not in systems:
            yield ("trust", at), f'unknown system "{system}"; {did_you_mean(system, systems, "systems")}'
    for name, attribute in entity.attributes.items():
        place: Place = ("attributes", name)
        for at, system in enumerate(attribute.trust or ()):
            if system not in systems:
                remedy = did_you_mean(system, systems, "systems")
                yield (*place, "trust", at), f'unknown system "{system}"; {remedy}'
        if attribute.references and attribute.references not in entities:
            remedy = did_you_mean(attribute.references, entities, "entities")
            yield (*place, "references"), f'unknown entity "{attribute.references}"; {remedy}'
        for source, rule in attribute.sources.items():
            yield from _wrong_rule((*place, "sources", source), source, rule, systems, transforms)
            fed_by = entities[attribute.references].streams if attribute.references in entities else ()
            if rule.record and fed_by and rule.record not in fed_by:
                remedy = did_you_mean(rule.record, fed_by, f"the streams of {attribute.references} are")
                text = f'"{rule.record}" does not feed {attribute.references}; {remedy}'
                yield (*place, "sources", source, "record"), text


def _wrong_rule(place: Place, source: str, rule: Rule, systems: dict[str, System], transforms: frozenset[str]) -> Wrong:
    system, _, stream = source.partition(".")
    if system not in systems or stream not in systems[system].streams:
        streams = [f"{system}.{stream}" for system in systems for stream in systems[system].streams]
        yield place, f'unknown stream "{source}"; {did_you_mean(source, streams, "system.stream is one of")}'
    else:
        fields = systems[system].streams[stream].fields
        abroad = [rule.abroad] if isinstance(rule.abroad, str) else []
        named = {"field": rule.fields, "unless": list(rule.unless), "country": rule.countries, "abroad": abroad}
        for key, names in named.items():
            for field in names:
                if field not in fields:
                    remedy = did_you_mean(field, fields, f"fields of {source}")
                    yield (*place, key), f'{source} has no field "{field}"; {remedy}'
    if rule.transform not in transforms:
        remedy = did_you_mean(rule.transform, transforms, "transforms in dbt_project/macros/transforms/")
        yield (*place, "transform"), f'unknown transform "{rule.transform}"; {remedy}'


def _wrong_lookups(system: System, entities: dict[str, Entity]) -> Wrong:
    """The lookups of a system that ask about an attribute which no entity has."""
    attributes = [f"{entity}.{name}" for entity in entities for name in entities[entity].attributes]
    for name, stream in system.streams.items():
        for asked in stream.lookup.attributes if stream.lookup else ():
            if asked not in attributes:
                remedy = did_you_mean(asked, attributes, "entity.attribute is one of")
                yield ("streams", name, "lookup", "attribute"), f'no entity has "{asked}"; {remedy}'
