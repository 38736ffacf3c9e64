"""The JSON Schemas of the catalogue's files, for editors: completion, hover text and red lines while typing.

A file asks for its schema in its first line: `# yaml-language-server: $schema=../schema/system.schema.json`.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.settings import ROOT

FOLDER = ROOT / "catalog" / "schema"
MODELS: dict[str, type[BaseModel]] = {"system.schema.json": System, "entity.schema.json": Entity}


def generate(check: bool, folder: Path = FOLDER) -> list[Path]:
    """Write the schemas that differ from the models and return their paths; `check` only returns them."""
    stale = []
    for name, model in MODELS.items():
        path = folder / name
        text = schema_text(model)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path)
            if not check:
                folder.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    return stale


def schema_text(model: type[BaseModel]) -> str:
    """One model's JSON Schema (draft 2020-12) as the text of its file; the same on every run."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
