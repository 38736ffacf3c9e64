"""The catalogue, suites and dbt project of one folder, and the fingerprint of what people write in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from onefold.catalog.entity import Entity
from onefold.catalog.reader import Catalog, read_catalog
from onefold.conform.dbt_build import marts_fingerprint
from onefold.errors import Fatal
from onefold.mapping.generate import generated_files
from onefold.mapping.generated import MARK
from onefold.mapping.registry import mapping_fingerprints
from onefold.mapping.sql import transforms_of
from onefold.quality.suite import check_suites, suite_fingerprints

_WRITTEN = (
    ("catalog/systems", "*.yaml"),
    ("catalog/entities", "*.yaml"),
    ("expectations", "*.yaml"),
    ("dbt_project", "*.sql"),
    ("dbt_project", "*.yml"),
)


@dataclass(frozen=True, slots=True)
class Project:
    """What a folder says is integrated and how. `files` has the SHA-256 of each file that people write, by its path."""

    root: Path
    catalog: Catalog
    files: Mapping[str, str]
    mappings: Mapping[str, str]
    suites: Mapping[str, str]

    @property
    def entities(self) -> list[Entity]:
        """In the catalogue's order."""
        return list(self.catalog.entities.values())

    @property
    def expectations(self) -> Path:
        """The folder of the suites."""
        return self.root / "expectations"

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all files: 64 hex digits."""
        return hashlib.sha256("".join(f"{path} {sha}\n" for path, sha in self.files.items()).encode()).hexdigest()


def read_project(root: Path) -> Project:
    """Read and check the folder's catalogue and suites. Raises CatalogError, naming file, line and remedy; Fatal when
    it is no folder of a project, or was written while it was read."""
    if not (root / "catalog" / "entities").is_dir() or not (root / "dbt_project").is_dir():
        raise Fatal(f"{root} has no catalog/entities and dbt_project: name the folder of a checkout. Nothing was done.")
    files = written_files(root)
    with transforms_of(root):
        catalog = read_catalog(root)
        check_suites(catalog, root / "expectations")
        mappings = mapping_fingerprints(catalog.entities, catalog.systems)
    suites = suite_fingerprints(catalog.entities, root / "expectations")
    if written_files(root) != files:
        raise Fatal(f"{root} was written to while it was read. Nothing was done. Save your files, then start again.")
    marts = {"marts": marts_fingerprint(root / "dbt_project")}
    return Project(root, catalog, files, mappings | marts, suites)


def written_files(root: Path) -> dict[str, str]:
    """The SHA-256 of each file of the catalogue, the suites and the dbt project that nothing generates, by its path."""
    return {
        str(path.relative_to(root)): hashlib.sha256(content).hexdigest()
        for path, content in _contents(root)
        if MARK.encode() not in content.partition(b"\n")[0]
    }


def _contents(root: Path) -> Iterator[tuple[Path, bytes]]:
    for folder, pattern in _WRITTEN:
        for path in sorted((root / folder).rglob(pattern)):
            if "target" not in path.relative_to(root).parts:
                yield path, path.read_bytes()


def assemble(project: Project, target: Path) -> Path:
    """Make a dbt project of the catalogue in the empty folder `target`: what people wrote, and what is generated from
    it now. Returns the project's folder. Raises Fatal when a rule names a transform that gives another type."""
    for path, content in _contents(project.root):
        relative = path.relative_to(project.root)
        if relative.parts[0] == "dbt_project" and str(relative) in project.files:
            _write(target / relative, content)
    with transforms_of(project.root):
        generated = generated_files(project.catalog.entities, project.catalog.systems)
    for name, text in generated.items():
        if name.startswith("dbt_project/"):
            _write(target / name, text.encode())
    return target / "dbt_project"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
