"""Editors check a catalogue file against a schema that is generated from the models and never stale."""

from __future__ import annotations

import json

import jsonschema
import pytest

from onefold.catalog.json_schema import FOLDER, MODELS, generate
from onefold.catalog.yaml_file import read_yaml


def test_the_committed_schemas_are_fresh():
    assert generate(check=True) == []


def test_generating_twice_writes_once_and_a_check_writes_nothing(tmp_path):
    assert len(generate(check=True, folder=tmp_path)) == len(MODELS)
    assert list(tmp_path.iterdir()) == []
    assert len(generate(check=False, folder=tmp_path)) == len(MODELS)
    assert generate(check=False, folder=tmp_path) == []
    (tmp_path / "system.schema.json").write_text("{}")
    assert generate(check=True, folder=tmp_path) == [tmp_path / "system.schema.json"]


@pytest.mark.parametrize(
    ("kind", "file"), [("system", "systems/shop"), ("entity", "entities/customer"), ("privacy", "privacy")]
)
def test_a_right_file_passes_its_schema_and_a_wrong_one_does_not(checkout, kind, file):
    schema = json.loads((FOLDER / f"{kind}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    value = read_yaml(checkout.root / f"catalog/{file}.yaml").value
    assert list(validator.iter_errors(value)) == []
    assert [error.message for error in validator.iter_errors({**value, "titel": "x"})] == [
        "Additional properties are not allowed ('titel' was unexpected)"
    ]
