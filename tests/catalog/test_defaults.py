"""What the streams of a system share is said once, under `defaults`, and means what it would mean in every stream."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from onefold.catalog.json_schema import FOLDER
from onefold.catalog.reader import read_systems
from onefold.catalog.system import System
from onefold.catalog.yaml_file import CatalogError, read_yaml

SHARED = """\
system: crm
title: A CRM
protocol: rest
connection: crm
schedule: "0 2 * * *"
defaults:
  request:
    path: /query
    params: {q: "SELECT {paths} FROM {object} WHERE changed >= {start}", mode: "{stream}"}
    slices: {longest: P30D, since: 2024-01-01}
  records: records
  next: {kind: url, path: nextUrl}
  primary_key: [Id]
  cursor: {fields: [Changed], lookback: PT10M}
  deletes: {flag: {field: IsDeleted}}
  ignore: [attributes]
  fields: {Amount: numeric, Changed: timestamp, IsDeleted: boolean}
streams:
  account:
    title: Accounts
    vars: {object: Account}
    fields: {Id: text, Name: {personal: organisation}}
  line:
    title: Lines of offers
    vars: {object: OfferLine}
    request: {slices: null, headers: {Prefer: all}}
    next: {path: next.url}
    primary_key: [OfferId, Id]
    cursor: {lookback: PT1H}
    deletes: {flag: null, complete_group: true}
    ignore: [other]
    fields: {OfferId: text, Id: text, Amount: {required: false}, IsDeleted: null}
"""
WRITTEN_OUT = """\
system: crm
title: A CRM
protocol: rest
connection: crm
schedule: "0 2 * * *"
streams:
  account:
    title: Accounts
    request:
      path: /query
      params: {q: "SELECT {paths} FROM Account WHERE changed >= {start}", mode: account}
      slices: {longest: P30D, since: 2024-01-01}
    records: records
    next: {kind: url, path: nextUrl}
    primary_key: [Id]
    cursor: {fields: [Changed], lookback: PT10M}
    deletes: {flag: {field: IsDeleted}}
    ignore: [attributes]
    fields: {Id: text, Name: {personal: organisation}, Amount: numeric, Changed: timestamp, IsDeleted: boolean}
  line:
    title: Lines of offers
    request:
      path: /query
      params: {q: "SELECT {paths} FROM OfferLine WHERE changed >= {start}", mode: line}
      headers: {Prefer: all}
    records: records
    next: {kind: url, path: next.url}
    primary_key: [OfferId, Id]
    cursor: {fields: [Changed], lookback: PT1H}
    deletes: {complete_group: true}
    ignore: [other]
    fields: {OfferId: text, Id: text, Amount: {type: numeric, required: false}, Changed: timestamp}
"""


def read(folder: Path, text: str) -> System:
    folder.mkdir(exist_ok=True)
    (folder / "crm.yaml").write_text(text)
    return read_systems(folder)["crm"]


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        read(folder, text)
    return [f"{mistake.line}: {mistake.text}" for mistake in caught.value.mistakes]


def test_streams_with_defaults_equal_the_same_written_out(tmp_path: Path) -> None:
    shared, written_out = read(tmp_path / "a", SHARED), read(tmp_path / "b", WRITTEN_OUT)
    assert shared == written_out
    assert [list(stream.fields) for stream in shared.streams.values()] == [
        ["Id", "Name", "Amount", "Changed", "IsDeleted"],
        ["OfferId", "Id", "Amount", "Changed"],
    ], "a stream's own fields come first"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "records: records",
            "record: records",
            '11: unknown key "record"; did you mean "records"? allowed here: *(defaults of account, line)',
        ),
        ("PT10M}", "ten}", "14: lookback: 'ten' is not a duration; *(defaults of account)"),
        ("IsDeleted: boolean}", "IsDeleted: bool}", '17: *"bool" is not allowed; *(defaults of account)'),
        (
            "primary_key: [Id]\n  c",
            "primary_key: [Idd]\n  c",
            "13: primary_key names 'Idd', which is not under fields; add it there (defaults of account)",
        ),
        ("  deletes: {flag: {field", "  deleted: {field: {field", '15: "deleted" was renamed to "deletes: {flag: …}"*'),
        ("{fields: [Changed], ", "{", '14: "fields" is missing; add "fields: …" (defaults of account)'),
        ("title: Accounts\n", "titel: Accounts\n", '20: unknown key "titel"; did you mean "title"?*'),
        (
            "longest: P30D, since: 2024-01-01",
            "longest: P30D, sinze: 2024-01-01",
            '10: unknown key "sinze"; did you mean "since"?*(defaults of account)',
        ),
    ],
)
def test_a_mistake_in_defaults_names_its_line_and_the_streams_that_get_it(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in SHARED
    found = mistakes(tmp_path, SHARED.replace(old, new, 1))
    begins, _, ends = said.partition("*")
    assert [each for each in found if each.startswith(begins) and each.endswith(ends.split("*")[-1])], found


def test_a_mistake_in_defaults_that_every_stream_overrides_is_found_too(tmp_path: Path) -> None:
    text = SHARED.replace("ignore: [attributes]", "ignore: 7").replace("IsDeleted: null}", "IsDeleted: null}\n")
    text = text.replace("    vars: {object: Account}", "    ignore: []\n    vars: {object: Account}")
    assert mistakes(tmp_path, text) == ["16: ignore: needs a list, for example [7]"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "    vars: {object: OfferLine}\n",
            "",
            '23: {object} is used, but line does not say what it is; add "vars: {object: …}" to it',
        ),
        ("{object: Account}", "{object: 17}", '21: vars.object: text is needed here; write "17" in quotes'),
        ("{object: Account}", "{object: A, objekt: B}", "21: nothing in account uses {objekt}; remove the variable"),
        (
            "{object: Account}",
            "{object: A, start: B}",
            "21: {start} is filled in by Onefold; give the variable another name",
        ),
        ("vars: {object: Account}", "vars: Account", '21: vars: needs "name: text" lines below it'),
    ],
)
def test_a_variable_that_cannot_be_used_is_a_mistake(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in mistakes(tmp_path, SHARED.replace(old, new, 1))


def test_defaults_that_are_no_mapping_are_a_mistake(tmp_path: Path) -> None:
    text = WRITTEN_OUT.replace("streams:", "defaults: [records]\nstreams:")
    assert mistakes(tmp_path, text) == ['6: defaults: needs "key: value" lines below it']


def test_editors_know_defaults_and_vars(tmp_path: Path) -> None:
    schema = json.loads((FOLDER / "system.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    read(tmp_path, SHARED)
    value = json.loads(json.dumps(read_yaml(tmp_path / "crm.yaml").value))
    assert [error.message for error in validator.iter_errors(value)] == []
    value["defaults"]["recods"] = "x"
    assert any("recods" in error.message for error in validator.iter_errors(value))
