"""Reads and checks catalog/targets: every file by itself, and that what it names exists elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from onefold.catalog.entity import Entity
from onefold.catalog.mistakes import did_you_mean
from onefold.catalog.reader import Catalog, Wrong, read_catalog, read_folder, read_model
from onefold.catalog.target import Target, TargetObject
from onefold.catalog.yaml_file import CatalogError, Mistake, Place, read_yaml
from onefold.settings import ROOT

FOLDER = Path("catalog") / "targets"


def read_targets(catalog: Catalog | None = None, root: Path = ROOT) -> dict[str, Target]:
    """Every target of a checkout by name, sorted. Raises CatalogError: the mistakes of all files at once."""
    catalog = catalog or read_catalog(root)
    targets = read_folder(root / FOLDER, _read_target)
    mistakes: list[Mistake] = []
    for name, target in targets.items():
        wrong = list(_wrong_names(target, catalog))
        if wrong:
            file = read_yaml(root / FOLDER / f"{name}.yaml")
            mistakes += [file.mistake(place, text) for place, text in wrong]
    if mistakes:
        raise CatalogError(mistakes)
    return targets


@lru_cache(maxsize=64)
def _read_target(path: Path, _changed: int, _size: int) -> Target:
    return read_model(path, Target, "target")[0]


def _lossy_echoes(target: Target, each: TargetObject, entity: Entity) -> Iterator[tuple[str, str, list[str]]]:
    """The fields whose echo is poorer than what was written, and would replace it in the golden record: the field, its
    attribute, and the systems whose values would lose."""
    if each.stream is None or not each.characters.replacements:
        return
    for field, spec in each.fields.items():
        attribute = entity.attributes.get(spec.attribute)
        if attribute is None or spec.format != "text" or f"{target.system}.{each.stream}" not in attribute.sources:
            continue
        trusted = attribute.trust or entity.trust
        behind = trusted[trusted.index(target.system) + 1 :] if target.system in trusted else []
        others = {source.partition(".")[0] for source in attribute.sources}
        if weaker := [name for name in behind if name in others]:
            yield field, spec.attribute, weaker


def _wrong_names(target: Target, catalog: Catalog) -> Wrong:
    system = catalog.systems.get(target.system)
    if system is None:
        remedy = did_you_mean(target.system, catalog.systems, "systems")
        yield ("system",), f'unknown system "{target.system}"; {remedy}'
    for name, each in target.objects.items():
        place: Place = ("objects", name)
        entity = catalog.entities.get(each.entity)
        if entity is None:
            remedy = did_you_mean(each.entity, catalog.entities, "entities")
            yield (*place, "entity"), f'unknown entity "{each.entity}"; {remedy}'
            continue
        named = [
            *(((*place, "fields", field, "attribute"), spec.attribute) for field, spec in each.fields.items()),
            *(((*place, "where", attribute), attribute) for attribute in each.where),
        ]
        for where, attribute in named:
            if attribute not in entity.attributes:
                remedy = did_you_mean(attribute, entity.attributes, f"attributes of {each.entity}")
                yield where, f'{each.entity} has no attribute "{attribute}"; {remedy}'
        for field, attribute, weaker in _lossy_echoes(target, each, entity):
            lossy = (
                f"what is read back of {attribute} has lost the characters that are replaced, and {target.system} is "
                f"trusted there above {', '.join(weaker)}: it would win over the original. Put it behind them in the "
                f"trust of {each.entity}.{attribute}"
            )
            yield (*place, "fields", field), lossy
        if system is not None and each.stream is not None:
            stream = system.streams.get(each.stream)
            if stream is None:
                remedy = did_you_mean(each.stream, system.streams, f"streams of {target.system}")
                yield (*place, "stream"), f'{target.system} has no stream "{each.stream}"; {remedy}'
            elif list(stream.primary_key) != [each.key]:
                yield (
                    (*place, "key"),
                    f"the stream {each.stream} has the primary key {', '.join(stream.primary_key)}; write that one",
                )
            elif f"{target.system}.{each.stream}" not in entity.streams:
                yield (
                    (*place, "stream"),
                    f"{each.stream} does not feed {each.entity}, so it tells of none of its records",
                )
