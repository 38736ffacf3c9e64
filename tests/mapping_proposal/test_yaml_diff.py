"""Rules are added to an entity's YAML line by line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from onefold.catalog.entity import Example, Rule
from onefold.errors import Fatal
from onefold.mapping_proposal.rules import ProposedRule
from onefold.mapping_proposal.yaml_diff import edited, flow, rule_node, unified

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
    "value", ["no", "0123", "1e5", "12:30", "a: b", '"', "ł, {x}", "2024-01-01", "", True, 1.5, None]
)
def test_a_value_is_read_back_as_it_was(value: str | float | bool | None) -> None:
    rule = Rule(field="f", examples=[Example(given=value, then=value)])
    assert yaml.safe_load(flow(rule_node(rule)))["examples"] == [{"given": value, "then": value}]
