"""Writes everything that is generated from the mapping catalogue, and finds what is stale."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.mapping import entity_migration, golden
from onefold.mapping.generated import MARK
from onefold.mapping.mapped_model import model_name, model_sql
from onefold.mapping.properties import entity_yaml, sources_yaml
from onefold.settings import ROOT

MAPPED = "dbt_project/models/mapped"
FOLDERS = ("dbt_project/models", "dbt_project/tests", golden.VIEWS)


def generated_files(entities: Mapping[str, Entity], systems: Mapping[str, System]) -> dict[str, str]:
    """Path below the project's root and text of every file generated from the mapping; the same on every run."""
    files: dict[str, str] = {}
    for entity in entities.values():
        for system in entity.systems:
            files[f"{MAPPED}/{model_name(system, entity.entity)}.sql"] = model_sql(entity, systems[system])
        files[f"{MAPPED}/{entity.entity}.yml"] = entity_yaml(entity, systems)
        files |= golden.files(entity, entities)
    if entities:
        files[f"{MAPPED}/sources.yml"] = sources_yaml(entities)
    return files


def generate(
    entities: Mapping[str, Entity],
    systems: Mapping[str, System],
    check: bool,
    root: Path = ROOT,
    accept_loss: Collection[str] = (),
) -> list[Path]:
    """Make the project hold exactly the generated files and return the paths that were stale, sorted.

    Stale is what differs, what is missing, and what nothing generates any more. `check` changes nothing. Where the
    entities' tables must change, the migration that does it is among the files. Raises Fatal when it would lose values
    of an attribute ("customer.fax") or an entity that `accept_loss` does not name.
    """
    if not check:
        entity_migration.refuse_losses(entities, root, accept_loss)
    generated = generated_files(entities, systems) | entity_migration.migration_files(entities, root)
    files = {root / path: text for path, text in generated.items()}
    stale = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    left_over = [path for path in _marked(root) if path not in files]
    if not check:
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8")
        for path in left_over:
            path.unlink()
    return sorted([*stale, *left_over])


def _marked(root: Path) -> Iterator[Path]:
    """The files that say in their first line that they were generated."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".sql", ".yml") and MARK in path.read_text("utf-8").partition("\n")[0]:
                yield path
