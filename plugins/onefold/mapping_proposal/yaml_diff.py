"""The proposed rules as a change of the entities' YAML: lines are added, nothing else is touched, comments stay."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from onefold.catalog.edit_yaml import added, below, composed, text_of, under
from onefold.catalog.entity import Rule
from onefold.errors import Fatal
from onefold.mapping.yaml_text import Yaml, flow
from onefold.mapping_proposal.rules import ProposedRule

INDENT = 2
"""Blanks before a source, as seen from the key `sources`."""


def edited(folder: Path, proposed: Iterable[ProposedRule]) -> dict[Path, tuple[str, str]]:
    """By file of the entities' folder: its text, and its text with the rules added, each below its reasons.

    Raises Fatal where an attribute's sources are written in a way that lines cannot be added to.
    """
    found: dict[Path, tuple[str, str]] = {}
    for each in proposed:
        path = folder / f"{each.entity}.yaml"
        before, after = found.get(path) or (text_of(path),) * 2
        found[path] = before, _with_rule(path, after, each)
    return found


def _with_rule(path: Path, text: str, each: ProposedRule) -> str:
    entry = f"# proposed: {each.why}\n{each.source}: {flow(rule_node(each.rule))}"
    attribute = under(composed(text), "attributes", each.attribute)
    sources = under(attribute, "sources")
    if (
        not isinstance(attribute, yaml.MappingNode)
        or attribute.flow_style
        or not isinstance(sources, yaml.MappingNode)
        or (sources.flow_style and sources.value)
        or sources.start_mark.index < attribute.start_mark.index  # an alias
    ):
        raise Fatal(
            f"{path}: the sources of {each.attribute} must stand below each other, one a line, for a rule to be "
            "added; write them so, then propose again"
        )
    if sources.value:
        return added(text, sources, entry)
    begin = len(text[: sources.start_mark.index].rstrip())  # of {}: no system gives the attribute yet
    return below(text[:begin] + text[sources.end_mark.index :], begin, entry, attribute.start_mark.column + INDENT)


def rule_node(rule: Rule) -> Yaml:
    """The rule as it is written: what is the default is left out."""
    node: dict[str, Yaml] = {"field": _one_or_several(rule.fields)}
    if rule.country:
        node["country"] = _one_or_several(rule.countries)
    if rule.record:
        node["record"] = rule.record
    else:
        node["transform"] = rule.transform
    if rule.codes:
        node["codes"] = rule.codes
    if rule.examples:
        node["examples"] = [{"given": each.given, "then": each.then} for each in rule.examples]
    return node


def _one_or_several(names: list[str]) -> Yaml:
    return names if len(names) > 1 else names[0]
