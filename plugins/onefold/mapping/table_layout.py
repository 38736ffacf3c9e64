"""The columns of the entities' tables that the catalogue decides, and the snapshot of what the migrations make."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML

from onefold.catalog.entity import Entity
from onefold.errors import Fatal
from onefold.mapping.golden import known_columns

SNAPSHOT = "plugins/onefold/warehouse/migrations/entity_tables.yml"
_HEAD = (
    "# The columns of the entities' tables as the migrations in this folder leave them. bin/onefold generate compares\n"
    "# the catalogue with it, and writes a migration for what differs. Do not edit.\n"
)
ALWAYS = ("record", "_load_id")
"""Columns of mapped.<entity>__identifier whatever the catalogue says."""


@dataclass(frozen=True)
class TableLayout:
    """SQL types by column: of conformed.<entity>_version, and of mapped.<entity>__identifier."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    identifiers: Mapping[str, str] = field(default_factory=dict)


def layout(entity: Entity) -> TableLayout:
    """As the catalogue says it."""
    return TableLayout(
        {name: attribute.type for name, attribute in sorted(entity.attributes.items())},
        {name: kind for name, kind in sorted(known_columns(entity).items()) if name not in ALWAYS},
    )


def read_snapshot(root: Path) -> dict[str, TableLayout]:
    """What the migrations of the project in `root` make, by entity; nothing where it has no migrations yet.

    Raises Fatal when the file is not what generate wrote.
    """
    path = root / SNAPSHOT
    if not path.exists():
        return {}
    try:
        content = YAML(typ="safe").load(path.read_text("utf-8")) or {}
        return {name: TableLayout(**tables) for name, tables in content.items()}
    except (TypeError, AttributeError) as error:
        raise Fatal(
            f"{path} is not as bin/onefold generate wrote it ({error}). Restore it from version control."
        ) from error


def snapshot_text(layouts: Mapping[str, TableLayout]) -> str:
    """The text of the file; the same on every run."""
    document = {
        name: {"attributes": dict(tables.attributes), "identifiers": dict(tables.identifiers)}
        for name, tables in sorted(layouts.items())
    }
    yaml, text = YAML(), io.StringIO()
    yaml.width = 1000
    yaml.dump(document, text)
    return _HEAD + text.getvalue()
