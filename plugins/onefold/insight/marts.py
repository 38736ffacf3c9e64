"""The marts, as the YAML beside their models describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from onefold.catalog.yaml_file import CatalogError, Value, read_yaml
from onefold.settings import ROOT

FOLDER = Path("dbt_project") / "models" / "marts"


@dataclass(frozen=True, slots=True)
class MartColumn:
    """A column and what it means. `tests`: what dbt's tests demand of it, by their names."""

    name: str
    meaning: str
    tests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mart:
    """A view of the schema marts; its columns in the order of the YAML."""

    name: str
    meaning: str
    columns: Mapping[str, MartColumn]


def read_marts(root: Path = ROOT) -> dict[str, Mart]:
    """Every mart of a checkout by name, sorted: of each model in dbt_project/models/marts, what the YAML files there
    say of it. Raises CatalogError where one of them cannot be read."""
    folder = root / FOLDER
    said: dict[str, Mart] = {}
    for path in sorted((*folder.glob("*.yml"), *folder.glob("*.yaml"))):
        stat = path.stat()
        said |= _read(path, stat.st_mtime_ns, stat.st_size)
    models = sorted(path.stem for path in folder.glob("*.sql"))
    return {name: said.get(name, Mart(name, "", {})) for name in models}


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int, _size: int) -> Mapping[str, Mart]:
    file = read_yaml(path)
    try:
        return {str(each["name"]): _mart(each) for each in _mappings(file.value, "models")}
    except KeyError as missing:
        raise CatalogError([file.mistake((), f"a model or column lacks its {missing}")]) from None


def _mart(model: dict[str, Value]) -> Mart:
    columns = {
        str(each["name"]): MartColumn(str(each["name"]), _text(each), tuple(_tests(each)))
        for each in _mappings(model, "columns")
    }
    return Mart(str(model["name"]), _text(model), columns)


def _mappings(value: Value, key: str) -> Iterator[dict[str, Value]]:
    found = value.get(key) if isinstance(value, dict) else None
    for each in found if isinstance(found, list) else ():
        if isinstance(each, dict):
            yield each


def _text(value: Mapping[str, Value]) -> str:
    return str(value.get("description") or "")


def _tests(column: Mapping[str, Value]) -> Iterator[str]:
    tests = column.get("data_tests")
    for each in tests if isinstance(tests, list) else ():
        yield from map(str, each if isinstance(each, dict) else [each])
