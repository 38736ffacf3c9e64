"""A stream added to the text of a system's YAML, in which nothing else changes: no comment, no blank line, no order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import yaml

from onefold.draft.model import DraftStream, Value
from onefold.draft.yaml_text import stream_lines
from onefold.errors import Fatal

_STREAMS = re.compile(r"streams:\s*(#.*)?")
_INDENTED = re.compile(r"( +)\S")


def with_stream(text: str, stream: DraftStream, file: str) -> str:
    """The text with the stream after its last one. Raises Fatal when `streams` is not written as a block, has the
    stream already, or would not read as what it was with one stream more."""
    before = yaml.safe_load(text)
    streams = before.get("streams") if isinstance(before, dict) else None
    if not isinstance(streams, dict):
        raise Fatal(f"{file} has no streams to add one to; check it first: bin/onefold check")
    if stream.name in streams:
        raise Fatal(f"{file} has a stream {stream.name} already; nothing was written. Take another name: --as NAME.")
    lines = text.splitlines(keepends=True)
    start = next((at for at, line in enumerate(lines) if _STREAMS.fullmatch(line.rstrip())), None)
    if start is None:
        raise Fatal(f"{file} does not write `streams:` as a block; add the stream by hand: --stdout prints it")
    indent, end = "", start + 1
    for at, line in enumerate(lines[start + 1 :], start + 1):
        found = _INDENTED.match(line)
        if found:
            indent = indent or ("" if line.lstrip().startswith("#") else found[1])
            end = at + 1
        elif line.strip() and not line.startswith("#"):
            break
    defaults = before.get("defaults")
    own = without_defaults(stream, defaults) if isinstance(defaults, dict) else stream
    added = [f"{line}\n" for line in stream_lines(own, indent or "  ")]
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    made = "".join([*lines[:end], *added, *lines[end:]])
    after = yaml.safe_load(made)
    if not isinstance(after, dict) or {**after, "streams": {**after["streams"], stream.name: None}} != {
        **before,
        "streams": {**streams, stream.name: None},
    }:
        raise Fatal(
            f"{file} cannot be added to without changing what it says; add the stream by hand: --stdout prints it"
        )
    return made


def without_defaults(stream: DraftStream, defaults: Mapping[str, object]) -> DraftStream:
    """The stream with a null for all that the system's defaults would give it besides: they are made for the others."""
    own = {"request": dict(stream.request), "next": dict(stream.following), "cursor": dict(stream.cursor)}
    own = {key: _with_nulls(defaults.get(key), given) if given else given for key, given in own.items()}
    said = {
        "title",
        "primary_key",
        "fields",
        "vars",
        "privacy",
        *stream.more,
        *stream.after,
        *(key for key in own if own[key]),
    }
    said |= {"records"} if stream.records else set()
    return replace(
        stream,
        request=own["request"],
        following=own["next"],
        cursor=own["cursor"],
        after={**stream.after, **{key: None for key in defaults if key not in said}},
        dropped=tuple(key for key in _mapping(defaults.get("fields")) if key not in stream.fields),
    )


def _with_nulls(defaults: object, given: dict[str, Value]) -> dict[str, Value]:
    """The mapping with a null for each key that only the defaults have, at any depth."""
    made = dict(given)
    for key, shared in _mapping(defaults).items():
        value = given.get(key)
        if key not in given:
            made[key] = None
        elif isinstance(value, dict):
            made[key] = _with_nulls(shared, value)
    return made


def _mapping(given: object) -> Mapping[str, object]:
    return given if isinstance(given, dict) else {}
