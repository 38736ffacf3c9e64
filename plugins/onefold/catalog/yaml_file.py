"""Reads one YAML file into plain values and remembers on which line each of them stands.

YAML 1.2's core schema, made stricter so that a file means what it looks like: tags are refused, every mapping
key is text, and a number with leading zeros stays text (an identifier is not a quantity). libyaml gives the
events; nothing is constructed but dict, list, str, int, float, bool and None.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from onefold.errors import Fatal
from onefold.settings import ROOT

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]
Place = tuple[str | int, ...]

MAX_BYTES = 256 * 1024
MAX_DEPTH = 24
MAX_VALUES = 20_000  # counted with every alias written out: a bomb of aliases stops here

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong on one line of a file, and what to write instead. Lines count from 1.

    streams: those that get what is wrong from their system's `defaults`.
    """

    file: Path
    line: int
    text: str
    streams: tuple[str, ...] = ()

    def __str__(self) -> str:
        file = self.file.relative_to(ROOT) if self.file.is_relative_to(ROOT) else self.file
        return f"{file}:{self.line}: {self.text}"


class CatalogError(Fatal):
    """Mistakes in the catalogue, all that were found at once: one a line, with file, line and remedy."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = sorted(_joined(mistakes), key=lambda mistake: (mistake.file, mistake.line))
        super().__init__("\n".join(map(str, self.mistakes)))


def _joined(mistakes: list[Mistake]) -> list[Mistake]:
    """Each mistake once; its text names the streams that get it from defaults, the first three of them."""
    streams: dict[tuple[Path, int, str], dict[str, None]] = {}
    for mistake in mistakes:
        streams.setdefault((mistake.file, mistake.line, mistake.text), {}).update(dict.fromkeys(mistake.streams))
    joined = []
    for (file, line, text), which in streams.items():
        named = ", ".join(list(which)[:3]) + (f" and {len(which) - 3} more" if len(which) > 3 else "")
        joined.append(Mistake(file, line, f"{text} (defaults of {named})" if which else text))
    return joined


@dataclass(frozen=True, slots=True)
class YamlFile:
    """What one file says, and where: `lines` has the line (from 1) of every key and list item.

    inherited: the places below `streams` that stand in `defaults`, on the line that `lines` has.
    """

    path: Path
    value: Value
    lines: dict[Place, int]
    inherited: frozenset[Place] = frozenset()

    def mistake(self, place: Place, text: str) -> Mistake:
        """A mistake at a place, or at the nearest place around it that is written in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        streams = (str(place[1]),) if place in self.inherited else ()
        return Mistake(self.path, self.lines.get(place, 1), text, streams)


def read_yaml(path: Path) -> YamlFile:
    """Read one file. Raises CatalogError with line and remedy when it is not one plain YAML mapping."""
    content = path.read_bytes()
    if len(content) > MAX_BYTES:
        raise _refused(path, 1, f"the file has {len(content):,} bytes, more than {MAX_BYTES:,}; split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refused(path, line, "not UTF-8; save the file in UTF-8") from None
    builder = _Builder(path, yaml.parse(text, Loader=yaml.CSafeLoader))
    try:
        value = builder.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise _refused(path, mark.line + 1 if mark else 1, f"not YAML at {where}: {problem}") from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise _refused(path, line, f"character {error.character!r} is not allowed; remove it") from None
    except RecursionError:
        raise _refused(path, 1, "nested too deeply; flatten it") from None
    if not builder.mistakes and not isinstance(value, dict):
        builder.mistakes.append(Mistake(path, 1, 'the file must be a mapping of "key: value" lines'))
    if builder.mistakes:
        raise CatalogError(builder.mistakes)
    return YamlFile(path, value, builder.lines)


def _refused(path: Path, line: int, text: str) -> CatalogError:
    return CatalogError([Mistake(path, line, text)])


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Builder:
    """Builds plain values from parser events; what is not allowed becomes a Mistake, and building goes on."""

    def __init__(self, path: Path, events: Iterator[yaml.Event]) -> None:
        self.path = path
        self.events = events
        self.lines: dict[Place, int] = {}
        self.mistakes: list[Mistake] = []
        self.size = 0
        self.anchors: dict[str, tuple[Value, int]] = {}

    def document(self) -> Value:
        value: Value = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if event.explicit and self.lines:
                    raise _refused(self.path, _line(event), 'a second document; remove "---"')
            elif isinstance(event, yaml.NodeEvent):
                value = self.node(event, ())
        return value

    def node(self, event: yaml.Event, place: Place) -> Value:
        line = _line(event)
        before = self.size
        self.size += 1
        value: Value = None
        if isinstance(event, yaml.AliasEvent):
            value, size = self.anchors.get(event.anchor or "", (None, 0))
            if not size:
                self.mistakes.append(Mistake(self.path, line, f"no &{event.anchor} before *{event.anchor}; add it"))
            self.size += size
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            if event.tag is not None:
                self.mistakes.append(Mistake(self.path, line, f"tags are not read; remove {event.tag!r}"))
            if isinstance(event, yaml.ScalarEvent):
                value = _scalar(event.value) if event.implicit[0] else event.value
            elif isinstance(event, yaml.SequenceStartEvent):
                value = self.sequence(place)
            else:
                value = self.mapping(place)
            if event.anchor:
                self.anchors[event.anchor] = value, self.size - before
        if self.size > MAX_VALUES or len(place) > MAX_DEPTH:
            what = f"more than {MAX_VALUES:,} values" if self.size > MAX_VALUES else "nested too deeply"
            raise _refused(self.path, line, f"{what} (aliases written out); make the file smaller")
        return value

    def sequence(self, place: Place) -> list[Value]:
        items: list[Value] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            inside = (*place, len(items))
            self.lines[inside] = _line(event)
            items.append(self.node(event, inside))
        return items

    def mapping(self, place: Place) -> dict[str, Value]:
        values: dict[str, Value] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _refused(self.path, line, "a key must be plain text; write it before the colon")
            inside = (*place, event.value)
            if event.value in values:
                text = f'key "{event.value}" stands here twice, first on line {self.lines[inside]}; keep one'
                self.mistakes.append(Mistake(self.path, line, text))
                inside = (*inside, "again")
            self.lines[inside] = line
            value = self.node(next(self.events), inside)
            values.setdefault(event.value, value)
        return values


def _scalar(text: str) -> bool | int | float | str | None:
    """YAML 1.2's core schema for a plain scalar; a number with leading zeros is text."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
