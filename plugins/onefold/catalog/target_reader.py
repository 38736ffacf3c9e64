"""Reads and checks catalog/targets: every file by itself, and that what it names exists elsewhere."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from onefold.catalog.mistakes import did_you_mean
from onefold.catalog.reader import Catalog, Wrong, read_catalog, read_folder, read_model
from onefold.catalog.target import Target
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
