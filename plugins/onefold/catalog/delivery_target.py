"""catalog/warehouses/<name>.yaml: another warehouse, to which conformed entities and marts are delivered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from onefold.catalog.entity import Entity
from onefold.catalog.mistakes import did_you_mean
from onefold.catalog.model import Model, Name, mistake_at
from onefold.catalog.reader import read_model
from onefold.catalog.yaml_file import CatalogError, Mistake, Place, read_yaml
from onefold.settings import ROOT

Kind = Literal["duckdb", "parquet", "postgres", "s3", "snowflake", "bigquery", "redshift"]
Chosen = Literal["all"] | Annotated[list[Name], Field(min_length=1)]
SCHEMAS = ("onefold", "conformed", "conformed_personal", "marts")
"""What a target has of Onefold."""
FILES = ("duckdb", "parquet")
"""Kinds that are a file or a folder; the others are reached by a connection."""


class DeliveryTarget(Model):
    """A warehouse that is delivered to after each publish."""

    warehouse: Name
    title: str
    kind: Kind
    path: str | None = Field(
        None,
        min_length=1,
        description="duckdb: the file, parquet: the folder; a relative path is below ONEFOLD_HOME/deliveries",
    )
    connection: str | None = Field(None, min_length=1, description="every other kind: the Airflow connection")
    entities: Chosen = Field("all", description="which entities, with their history")
    marts: Literal["all", "none"] | Annotated[list[str], Field(min_length=1)] = Field("all", description="which marts")
    personal: list[Name] = Field(
        [],
        description="entities whose personal columns are delivered too, into the schema conformed_personal; grant it "
        "at the target to those who may read them",
    )
    verify: timedelta = Field(
        timedelta(days=1),
        gt=timedelta(0),
        description="how long after every row was compared with PostgreSQL it is compared again, by the next run that "
        "delivers; ISO 8601",
    )

    @model_validator(mode="after")
    def _one_address(self) -> DeliveryTarget:
        needed, other = ("path", "connection") if self.kind in FILES else ("connection", "path")
        if not getattr(self, needed):
            raise mistake_at("kind", f"{self.kind} needs {needed}: where to deliver")
        if getattr(self, other):
            raise mistake_at(other, f"{self.kind} has no {other}; take it out")
        if self.kind == "duckdb" and Path(str(self.path)).name.partition(".")[0] in SCHEMAS:
            raise mistake_at(
                "path",
                f"DuckDB takes a file's name for the name of its database, and {', '.join(SCHEMAS)} "
                "are schemas in it; name the file otherwise",
            )
        return self

    def delivers(self, entity: str) -> bool:
        """Whether the entity is among those that are delivered."""
        return self.entities == "all" or entity in self.entities


def read_delivery_targets(entities: Mapping[str, Entity] | None = None, root: Path = ROOT) -> dict[str, DeliveryTarget]:
    """Every target by name, sorted; none where there is no folder. With `entities` also checks that these exist.

    Raises CatalogError with the mistakes of all files at once.
    """
    folder = root / "catalog" / "warehouses"
    found: dict[str, DeliveryTarget] = {}
    mistakes = [Mistake(path, 1, "rename it: the ending must be .yaml") for path in folder.glob("*.yml")]
    for path in sorted(folder.glob("*.yaml")):
        try:
            stat = path.stat()
            found[path.stem] = _read(path, stat.st_mtime_ns, stat.st_size)
        except CatalogError as error:
            mistakes += error.mistakes
        else:
            wrong = list(_unknown(found[path.stem], entities)) if entities is not None else []
            file = read_yaml(path) if wrong else None
            mistakes += [file.mistake(place, text) for place, text in wrong if file]
    if mistakes:
        raise CatalogError(mistakes)
    return found


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int, _size: int) -> DeliveryTarget:
    return read_model(path, DeliveryTarget, "warehouse")[0]


def _unknown(target: DeliveryTarget, entities: Mapping[str, Entity]) -> Iterator[tuple[Place, str]]:
    named = {"entities": [] if target.entities == "all" else target.entities, "personal": target.personal}
    for key, names in named.items():
        for at, name in enumerate(names):
            if name not in entities:
                yield (key, at), f'unknown entity "{name}"; {did_you_mean(name, entities, "entities")}'
            elif not target.delivers(name):
                yield (key, at), f'"{name}" is not among entities; add it there'
