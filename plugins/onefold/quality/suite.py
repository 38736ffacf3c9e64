"""Expectation suites: YAML in Great Expectations' own schema (type, kwargs, severity)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML, YAMLError

from onefold.errors import Fatal
from onefold.settings import ROOT

FOLDER = ROOT / "expectations"


class Expectation(BaseModel):
    """One expectation as Great Expectations writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Annotated[str, Field(pattern=r"^(expect_[a-z_]+|unexpected_rows_expectation)$")]
    kwargs: dict[str, object] = {}
    severity: Literal["critical", "warning", "info"] = "critical"
    description: str | None = None


class Suite(BaseModel):
    """A named list of expectations. An empty one proves nothing and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    expectations: Annotated[list[Expectation], Field(min_length=1)]


def read_suite(name: str, folder: Path = FOLDER) -> Suite:
    """The suite in expectations/<name>.yaml. Raises Fatal naming the file and what is wrong."""
    file = folder / f"{name}.yaml"
    if not file.exists():
        raise Fatal(f"{file.name} is missing in {folder.name}/: every stream and every entity needs a suite.")
    try:
        suite = Suite.model_validate(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")))
    except (ValidationError, YAMLError) as error:
        raise Fatal(f"{folder.name}/{file.name} cannot be used: {error}") from error
    if suite.name != name:
        raise Fatal(f"{folder.name}/{file.name} calls itself {suite.name!r}: write name: {name}")
    return suite
