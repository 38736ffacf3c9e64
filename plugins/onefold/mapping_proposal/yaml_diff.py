"""The proposed rules as a change of the entities' YAML: lines are added, nothing else is touched, comments stay."""

from __future__ import annotations

import difflib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from onefold.catalog.entity import Rule, Scalar
from onefold.catalog.yaml_file import YamlFile, read_yaml
from onefold.errors import Fatal
from onefold.mapping_proposal.rules import ProposedRule

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_NO_TEXT = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})

Node = Scalar | list["Node"] | Mapping[str, "Node"]


def edited(folder: Path, proposed: Iterable[ProposedRule]) -> dict[Path, tuple[str, str]]:
    """By file of the entities' folder: its text, and its text with the rules added, each below its reasons.

    Raises Fatal where an attribute's sources are written in a way that lines cannot be added to.
    """
    by_file: defaultdict[Path, list[ProposedRule]] = defaultdict(list)
    for each in proposed:
        by_file[folder / f"{each.entity}.yaml"].append(each)
    found: dict[Path, tuple[str, str]] = {}
    for path, rules in by_file.items():
        text, file = path.read_text("utf-8"), read_yaml(path)
        lines = text.splitlines()
        # from the last line to the first, so that the numbers of those before stay right
        for at, each in sorted(((_end(file, lines, each), each) for each in rules), key=lambda pair: -pair[0]):
            if lines[at - 1].strip() == _NONE:
                lines[at - 1] = lines[at - 1].replace(_NONE, _NONE.removesuffix(" {}"))
            lines[at:at] = [" " * _INDENT + line for line in _entry(each)]
        found[path] = text, "\n".join(lines) + "\n"
    return found


_INDENT = 6
"""Blanks before a source: attributes, the attribute, sources."""
_NONE = "sources: {}"
"""Of an attribute that no system gives yet."""


def _end(file: YamlFile, lines: list[str], each: ProposedRule) -> int:
    """The number of lines up to the end of the attribute's sources."""
    place = ("attributes", each.attribute, "sources")
    sources = [line for key, line in file.lines.items() if len(key) == 4 and key[:3] == place]
    if not sources and lines[file.lines[place] - 1].strip() == _NONE:
        return file.lines[place]
    at = max(sources, default=0)
    if not at or at == file.lines[place] or not lines[at - 1].startswith(" " * _INDENT + lines[at - 1].strip()[:1]):
        raise Fatal(
            f"{file.path}: the sources of {each.attribute} must stand below each other, one a line, for a rule to be "
            "added; write them so, then propose again"
        )
    while at < len(lines) and len(lines[at]) - len(lines[at].lstrip()) > _INDENT:
        at += 1
    return at


def _entry(each: ProposedRule) -> list[str]:
    return [f"# proposed: {each.why}", f"{each.source}: {flow(rule_node(each.rule))}"]


def rule_node(rule: Rule) -> Node:
    """The rule as it is written: what is the default is left out."""
    node: dict[str, Node] = {"field": list[Node](rule.fields) if len(rule.fields) > 1 else rule.fields[0]}
    if rule.country:
        node["country"] = list[Node](rule.countries) if len(rule.countries) > 1 else rule.countries[0]
    if rule.record:
        node["record"] = rule.record
    else:
        node["transform"] = rule.transform
    if rule.codes:
        node["codes"] = dict(rule.codes)
    if rule.examples:
        node["examples"] = [
            {"given": dict(each.given) if isinstance(each.given, dict) else each.given, "then": each.then}
            for each in rule.examples
        ]
    return node


def flow(node: Node) -> str:
    """YAML on one line, which YAML 1.1 and 1.2 read alike."""
    if isinstance(node, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(value)}" for key, value in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(flow, node)) + "]"
    if isinstance(node, str):
        plain = _PLAIN.fullmatch(node) and node.lower() not in _NO_TEXT
        return node if plain else json.dumps(node, ensure_ascii=False)
    return json.dumps(node)


def unified(root: Path, files: Mapping[Path, tuple[str, str]]) -> str:
    """The change as `git apply` and `patch -p1` take it."""
    return "".join(
        line
        for path, (before, after) in sorted(files.items())
        for line in difflib.unified_diff(
            before.splitlines(keepends=True),
            after.splitlines(keepends=True),
            f"a/{path.relative_to(root)}",
            f"b/{path.relative_to(root)}",
        )
    )
