"""A stream added to the text of a system's YAML, in which nothing else changes: no comment, no blank line, no order."""

from __future__ import annotations

import re

import yaml

from onefold.draft.model import DraftStream
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
    indent, end = "  ", start + 1
    for at, line in enumerate(lines[start + 1 :], start + 1):
        found = _INDENTED.match(line)
        if found:
            indent = found[1] if end == start + 1 and not line.lstrip().startswith("#") else indent
            end = at + 1
        elif line.strip() and not line.startswith("#"):
            break
    added = [f"{line}\n" for line in stream_lines(stream, indent)]
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
