"""The JSON Schemas of the catalogue's files, for editors: completion, hover text and red lines while typing.

A file asks for its schema in its first line: `# yaml-language-server: $schema=../schema/system.schema.json`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from onefold.catalog.delivery_target import DeliveryTarget
from onefold.catalog.entity import Entity
from onefold.catalog.prices import PriceList
from onefold.catalog.privacy import DataProtection
from onefold.catalog.system import System
from onefold.catalog.target import Target
from onefold.settings import ROOT

FOLDER = ROOT / "catalog" / "schema"
JsonSchema = dict[str, Any]
_NULL = {"type": "null"}
_INNERMOST = re.compile(r"[\[{][^\[\]{}]*[\]}]")
_REFERENCE = re.compile(r'"#/\$defs/(\w+)"')
MODELS: dict[str, type[BaseModel]] = {
    "system.schema.json": System,
    "entity.schema.json": Entity,
    "privacy.schema.json": DataProtection,
    "prices.schema.json": PriceList,
    "target.schema.json": Target,
    "warehouse.schema.json": DeliveryTarget,
}


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
    of_model = model.model_json_schema()
    if model is System:
        _add_defaults(of_model)
    schema: JsonSchema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **of_model}
    return _INNERMOST.sub(_on_one_line, json.dumps(schema, indent=2, ensure_ascii=False)) + "\n"


def _on_one_line(found: re.Match[str]) -> str:
    """A list or an object that holds no other on one line, where that is short: the file is read by people too."""
    line = re.sub(r"\s*\n\s*", " ", found[0])
    return line if len(line) <= 100 else found[0]


def _add_defaults(schema: JsonSchema) -> None:
    """Let the file's streams share `defaults`, which the model does not know: they are merged before it reads.

    What a stream needs may stand in defaults, and null takes away what stands there: so below a stream nothing is
    required here but its title, and everything may be null. `onefold check` says what is missing.
    """
    models = schema["$defs"]
    for name in _models_of("Stream", models):
        models[name].pop("required", None)
        if "properties" in models[name]:  # JsonValue is anything at all
            models[name]["properties"] = {key: _nullable(value) for key, value in models[name]["properties"].items()}
    shared = models["Stream"]
    shared["properties"]["vars"] = {
        "additionalProperties": {"type": "string"},
        "description": "the stream's texts for {name} in what defaults say; {stream} is its name",
        "title": "Vars",
        "type": "object",
    }
    models["Defaults"] = shared | {
        "description": "What the streams share: each is read as if it had written it. Its own values take the place of "
        "these, and null takes them away.",
        "title": "Defaults",
    }
    models["Stream"] = shared | {"required": ["title"]}
    schema["properties"]["defaults"] = {"$ref": "#/$defs/Defaults"}


def _models_of(name: str, models: JsonSchema, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names of a model and of all that it is made of."""
    known |= {name}
    for inside in _REFERENCE.findall(json.dumps(models[name])):
        if inside not in known:
            known |= _models_of(inside, models, known)
    return known


def _nullable(value: JsonSchema) -> JsonSchema:
    """The schema of a value, or of the values of a mapping, that may also be null."""
    if isinstance(values := value.get("additionalProperties"), dict):
        value = value | {"additionalProperties": _nullable(values)}
    if "anyOf" in value:
        return value | {"anyOf": [each for each in value["anyOf"] if each != _NULL] + [_NULL]}
    if "type" in value and "enum" not in value:
        return value | {"type": [value["type"], "null"]}
    rest = {key: value[key] for key in ("default", "description", "title") if key in value}
    return {"anyOf": [{key: each for key, each in value.items() if key not in rest}, _NULL], **rest}
