"""Changes the text of a YAML file at the places that the parser names, and nothing else: comments and layout stay.

A YAML that is read and written again loses its comments or its line breaks, and nobody could review what is left. So
the text is changed as a person would do it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import yaml

WIDTH = 120


def text_of(path: Path) -> str:
    """The file's text with its line ends as they are; read_text would change every line that ends as on Windows."""
    return path.read_bytes().decode("utf-8")


def unified(root: Path, files: Mapping[Path, tuple[str, str]]) -> str:
    """The changes of these files, each from one text to another, as `git apply` and `patch -p1` take them."""
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for path, (before, after) in sorted(files.items())
        for line in difflib.unified_diff(
            [*StringIO(before)],  # git's lines end with a line feed, splitlines' with others too
            [*StringIO(after)],
            f"a/{path.relative_to(root)}",
            f"b/{path.relative_to(root)}",
        )
    )


def composed(text: str) -> yaml.Node | None:
    """The text's nodes, which know where they stand in it; None of an empty text."""
    return yaml.compose(text, Loader=yaml.CSafeLoader)


def under(node: yaml.Node | None, *keys: str) -> yaml.Node | None:
    """The value under these keys, one below the other; None where there is none."""
    for key in keys:
        if not isinstance(node, yaml.MappingNode):
            return None
        node = next((value for name, value in node.value if name.value == key), None)
    return node


def replaced(text: str, node: yaml.Node, by: str) -> str:
    """The text with something else in the node's place."""
    return text[: node.start_mark.index] + by + text[node.end_mark.index :]


def added(text: str, mapping: yaml.MappingNode, entry: str) -> str:
    """The text with one more entry at the mapping's end; where the mapping is written in lines, the entry may have
    several, which are indented alike."""
    if not mapping.value:
        return replaced(text, mapping, f"{{{entry}}}")
    first, last = mapping.value[0][0], _end(mapping.value[-1][1])
    if not mapping.flow_style:
        return below(text, last, entry, first.start_mark.column)
    indent = " " * first.start_mark.column
    close = mapping.end_mark.index - 1
    line = text.rfind("\n", 0, close) + 1
    between = text[last:close]
    if "\n" in between:  # the brace that closes stands on a line of its own
        comma = "" if between.lstrip().startswith(",") else ","
        return f"{text[:last]}{comma}{text[last:line]}{indent}{entry},\n{text[line:]}"
    comma = " " if between.strip() == "," else ", "
    if close - line + len(comma + entry) < WIDTH:
        return f"{text[:last]}{between.rstrip()}{comma}{entry}{text[close:]}"
    return f"{text[:last]}{between.rstrip()}{comma.rstrip()}\n{indent}{entry}{text[close:]}"


def below(text: str, index: int, entry: str, column: int) -> str:
    """The text with the entry's lines, indented by `column`, below the line in which the index is."""
    line_end = text.find("\n", index)
    at = len(text) if line_end < 0 else line_end
    start = "\n" + " " * column
    return text[:at] + start + entry.replace("\n", start) + text[at:]


def _end(node: yaml.Node) -> int:
    """Where the node's own text ends: a mapping in lines ends with the last of them."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return node.end_mark.index
