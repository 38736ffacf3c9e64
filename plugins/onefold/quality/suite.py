"""Expectation suites: YAML in Great Expectations' own schema (type, kwargs, severity)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from onefold.catalog.mistakes import did_you_mean
from onefold.catalog.model import Model
from onefold.catalog.reader import Catalog, read_model
from onefold.catalog.yaml_file import CatalogError, Mistake, YamlFile
from onefold.settings import ROOT

FOLDER = ROOT / "expectations"
FINDINGS = ("_key", "_cursor", "_unparsed", "_unmapped")
_COLUMNS = ("column", "column_A", "column_B")


class Expectation(Model):
    """One expectation as Great Expectations writes it."""

    type: Annotated[str, Field(pattern=r"^(expect_[a-z_]+|unexpected_rows_expectation)$")]
    kwargs: dict[str, object] = Field({})
    severity: Literal["critical", "warning", "info"] = "critical"
    description: str | None = None
    counts_for_share: bool = Field(
        True, description="false: rows that fail it stand for themselves and never count for max_quarantined_share"
    )

    @property
    def label(self) -> str:
        """Its type, with the column that it is about."""
        column = self.kwargs.get("column")
        return f"{self.type}({column})" if column else self.type

    @property
    def reason(self) -> str:
        """Why a row fails it: what the suite says, else its type in words; no values."""
        return self.description or f"{self.kwargs.get('column', 'the row')}: {self.rule}"

    @property
    def rule(self) -> str:
        """What is expected, in words: 'to be between'."""
        return self.type.removeprefix("expect_column_values_").removeprefix("expect_").replace("_", " ")


class Suite(Model):
    """A named list of expectations. An empty one proves nothing and is refused."""

    name: str
    expectations: Annotated[list[Expectation], Field(min_length=1)]

    @property
    def fingerprint(self) -> str:
        """A hash that changes whenever the suite does."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def names(self, column: str) -> bool:
        """Whether any expectation may look at the column: it is written somewhere in its arguments, SQL included."""
        word = re.compile(rf"\b{re.escape(column)}\b", re.IGNORECASE)
        return any(word.search(str(expectation.kwargs)) for expectation in self.expectations)


def read_suite(name: str, folder: Path = FOLDER) -> Suite:
    """The suite in <folder>/<name>.yaml. Raises CatalogError naming file, line and remedy."""
    return _read(name, folder)[0]


def suite_fingerprints(names: Iterable[str], folder: Path = FOLDER) -> dict[str, str]:
    """One hash per suite of these names. Raises CatalogError as read_suite does."""
    return {name: read_suite(name, folder).fingerprint for name in names}


def check_suites(catalog: Catalog, folder: Path = FOLDER) -> int:
    """Read the suite of every stream and entity, and check that the columns which they name exist.

    Returns how many expectations there are. Raises CatalogError with the mistakes of all suites.
    """
    columns = {
        f"{system.system}__{name}": {*FINDINGS, *(field.lower() for field in stream.fields)}
        for system in catalog.systems.values()
        for name, stream in system.streams.items()
    }
    streams = {
        f"{each.system}__{name}": f"{each.system}.{name}" for each in catalog.systems.values() for name in each.streams
    }
    columns |= {
        name: {f"{name}_id", "source_of_truth", *entity.attributes} for name, entity in catalog.entities.items()
    }
    expectations, mistakes = 0, []
    for name, known in columns.items():
        try:
            suite, file = _read(name, folder, streams.get(name))
        except CatalogError as error:
            mistakes += error.mistakes
            continue
        expectations += len(suite.expectations)
        mistakes += _unknown_columns(suite, file, known)
    if mistakes:
        raise CatalogError(mistakes)
    return expectations


def _read(name: str, folder: Path, stream: str | None = None) -> tuple[Suite, YamlFile]:
    """The suite and its file; `stream` is the one that it is of, as system.stream."""
    path = folder / f"{name}.yaml"
    if not path.exists():
        how = f"write a first one: bin/onefold new suite {stream}" if stream else "add it"
        raise CatalogError([Mistake(path, 1, f"the file is missing; {how}: every stream and entity needs a suite")])
    return read_model(path, Suite, "name")


def _unknown_columns(suite: Suite, file: YamlFile, known: set[str]) -> list[Mistake]:
    return [
        file.mistake(
            ("expectations", at, "kwargs", key),
            f'{suite.name} has no column "{column}"; {did_you_mean(str(column), known, "columns (in lower case)")}',
        )
        for at, expectation in enumerate(suite.expectations)
        for key in _COLUMNS
        if (column := expectation.kwargs.get(key)) is not None and column not in known
    ]
