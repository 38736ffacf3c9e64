"""Writes everything that is generated from the mapping catalogue, and finds what is stale."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.mapping.model import feeding_systems, model_name, model_sql
from onefold.mapping.model_yaml import model_yaml, sources_yaml
from onefold.settings import ROOT

FOLDER = ROOT / "dbt_project" / "models" / "mapped"


def generated_files(entities: Mapping[str, Entity], systems: Mapping[str, System]) -> dict[str, str]:
    """Name and text of every file in models/mapped; the same on every run."""
    files: dict[str, str] = {}
    for entity in entities.values():
        for system in feeding_systems(entity):
            name = model_name(system, entity.entity)
            files[f"{name}.sql"] = model_sql(entity, systems[system])
            files[f"{name}.yml"] = model_yaml(entity, systems[system])
    if entities:
        files["sources.yml"] = sources_yaml(entities)
    return files


def generate(
    entities: Mapping[str, Entity], systems: Mapping[str, System], check: bool, folder: Path = FOLDER
) -> list[Path]:
    """Make the folder hold exactly the generated files and return the paths that were stale, sorted.

    Stale is what differs, what is missing, and what nothing generates any more. `check` changes nothing.
    """
    files = generated_files(entities, systems)
    stale = [folder / name for name, text in files.items() if _text(folder / name) != text]
    left_over = [path for path in folder.glob("*") if path.name not in files]
    if not check:
        folder.mkdir(parents=True, exist_ok=True)
        for path in stale:
            path.write_text(files[path.name], encoding="utf-8")
        for path in left_over:
            path.unlink()
    return sorted([*stale, *left_over])


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
