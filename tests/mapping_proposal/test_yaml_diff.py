"""Rules are added to an entity's YAML line by line."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from onefold.catalog.edit_yaml import unified
from onefold.catalog.entity import Example, Rule
from onefold.catalog.yaml_file import read_yaml
from onefold.errors import Fatal
from onefold.mapping.yaml_text import flow
from onefold.mapping_proposal.rules import ProposedRule
from onefold.mapping_proposal.yaml_diff import edited, rule_node

ENTITY = """\
# how it is written stays
entity: thing
attributes:
  first: # the first
    sources:
      a.b: {field: x} # its own comment
      c.d:
        field: y
        examples: [{given: "1", then: "1"}]

  # about the second
  second:
    sources:
      a.b: {field: z}
"""


def _rule(attribute: str, **more: object) -> ProposedRule:
    return ProposedRule("thing", attribute, "new.stream", Rule.model_validate({"field": "f", **more}), ())


def test_lines_are_added_below_the_last_source_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "thing.yaml"
    path.write_text(ENTITY, encoding="utf-8")
    files = edited(tmp_path, [_rule("first"), _rule("second", transform="nip")])
    before, after = files[path]
    assert before == ENTITY
    added = [line for line in unified(tmp_path, files).splitlines() if line.startswith("+ ")]
    assert [line[1:] for line in added if "proposed" not in line] == [
        "      new.stream: {field: f, transform: text}",
        "      new.stream: {field: f, transform: nip}",
    ]
    assert not [line for line in unified(tmp_path, files).splitlines() if line.startswith("- ")]
    read = yaml.safe_load(after)["attributes"]
    assert list(read["first"]["sources"]) == ["a.b", "c.d", "new.stream"]
    assert list(read["second"]["sources"]) == ["a.b", "new.stream"]


def test_sources_that_are_written_on_one_line_are_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "thing.yaml").write_text("attributes:\n  first: {sources: {a.b: {field: x}}}\n", encoding="utf-8")
    with pytest.raises(Fatal, match="one a line"):
        edited(tmp_path, [_rule("first")])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    sources: {}  # none yet\n", "    sources:  # none yet\n      # why\n      NEW\n"),
        ("    sources: {}", "    sources:\n      # why\n      NEW"),
        ("    sources:\n        a.b: {field: x}", "    sources:\n        a.b: {field: x}\n        # why\n        NEW"),
        (
            '    sources:\n      a.b: {field: "b\u2028c"}\n  # second\n',
            '    sources:\n      a.b: {field: "b\u2028c"}\n      # why\n      NEW\n  # second\n',
        ),
        (
            "    sources:\r\n      a.b: {field: x}\r\n  # second\r\n",
            "    sources:\r\n      a.b: {field: x}\r\n      # why\n      NEW\n  # second\r\n",
        ),
    ],
)
def test_git_applies_the_diff_however_sources_are_indented_and_the_file_ends(
    tmp_path: Path, before: str, after: str
) -> None:
    path, head = tmp_path / "thing.yaml", "attributes:\n  first:\n"
    path.write_bytes((head + before).encode())
    diff = unified(tmp_path, edited(tmp_path, [_rule("first")]))
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=diff.encode(), check=True)
    applied = path.read_bytes().decode().replace("new.stream: {field: f, transform: text}", "NEW")
    assert re.sub("# proposed:.*", "# why", applied) == head + after


@pytest.mark.parametrize(
    "sources", ["{sources: {}}", "{meaning: x, sources: {a.b: {field: x}}}", "\n    sources: *other"]
)
def test_sources_that_no_line_can_be_added_to_are_refused(tmp_path: Path, sources: str) -> None:
    other = "\n  other:\n    sources: &other\n      a.b: {field: x}\n"
    (tmp_path / "thing.yaml").write_text(f"attributes:{other}  first: {sources}\n", encoding="utf-8")
    with pytest.raises(Fatal, match=r"the sources of first must stand below each other"):
        edited(tmp_path, [_rule("first")])


@pytest.mark.parametrize(
    "value",
    ["no", "0123", "1e5", "12:30", "a: b", '"', "ł, {x}", "2024-01-01", "", "S.A.", "a\u2028b", "a\x85b\x7f",
     "\x01\ufeff", "\xa0", "😀", True, 1.5, 1e-06, 1e20, 123, None],
)  # fmt: skip
def test_a_value_is_read_back_as_it_was(value: str | float | bool | None, tmp_path: Path) -> None:
    rule, path = Rule(field="f", examples=[Example(given=value, then=value)]), tmp_path / "rule.yaml"
    path.write_text(flow(rule_node(rule)), encoding="utf-8")
    for read in (yaml.safe_load(path.read_text("utf-8")), read_yaml(path).value):  # as dbt reads it, and as we do
        assert read == {"field": "f", "transform": "text", "examples": [{"given": value, "then": value}]}
