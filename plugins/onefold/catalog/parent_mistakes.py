"""What cannot be true of streams and their parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from onefold.catalog.mistakes import did_you_mean
from onefold.catalog.parent import Parent, place_of
from onefold.catalog.request import MODULE_PLACEHOLDERS, PLACEHOLDERS, texts_of
from onefold.catalog.stream import Stream


def parent_mistakes(streams: Mapping[str, Stream]) -> Iterator[tuple[str, str]]:
    """Dotted name of each setting below `streams` that cannot be true of parents, and what is wrong with it."""
    for name, stream in streams.items():
        if parent := stream.parent:
            at = f"{name}.parent"
            of = streams.get(parent.stream)
            if of is None:
                remedy = did_you_mean(parent.stream, [each for each in streams if each != name], "streams")
                yield f"{at}.stream", f'no stream "{parent.stream}"; {remedy}'
            elif circle := _circle(name, streams):
                yield f"{at}.stream", f"parents lead in a circle ({' → '.join(circle)}); take one parent out"
            else:
                yield from _of_parent(at, parent, of)
            yield from _of_child(name, parent, stream)


def _circle(name: str, streams: Mapping[str, Stream]) -> list[str]:
    """The streams from one to itself by their parents; none where they end, or where the circle is another's."""
    way = [name]
    while (stream := streams.get(way[-1])) and stream.parent:
        way.append(stream.parent.stream)
        if way[-1] == name:
            return way
        if way[-1] in way[:-1]:
            return []
    return []


def _of_parent(at: str, parent: Parent, of: Stream) -> Iterator[tuple[str, str]]:
    for name, path in parent.fill.items():
        if place_of(path, of.fields) is None:
            names = did_you_mean(path, of.fields, f"fields of {parent.stream}")
            yield f"{at}.fill.{name}", f'{parent.stream} has no field "{path}" with a plain path; {names}'
    if of.lookup:
        yield f"{at}.stream", f"{parent.stream} is a look-up, which lists nothing; name a stream that is listed"
    if parent.changed and not of.cursor:
        yield f"{at}.changed", f"changed needs a cursor in {parent.stream}: what tells that a parent has changed"


def _of_child(name: str, parent: Parent, stream: Stream) -> Iterator[tuple[str, str]]:
    at = f"{name}.parent"
    if stream.lookup:
        yield at, "a look-up has no parent: take out parent or lookup"
    for each in parent.fill:
        if each in PLACEHOLDERS | MODULE_PLACEHOLDERS:
            yield f"{at}.fill.{each}", f"{{{each}}} is filled in by Onefold; give it another name"
        elif each not in {field.path or field_name for field_name, field in stream.fields.items()}:
            yield f"{at}.fill.{each}", f"each record gets {each!r}, which is not under fields; add it there"
    if not any(f"{{{each}}}" in text for each in parent.fill for text in texts_of(stream.request)):
        named = " or ".join(f"{{{each}}}" for each in parent.fill)
        yield f"{at}.fill", f"nothing in request has {named}: each parent would be asked the same"
    first = stream.primary_key[0]
    if first in stream.fields and (stream.fields[first].path or first) not in parent.fill:
        text = f"the first field of primary_key must be one that parent.fill gives ({', '.join(parent.fill)}): by it "
        yield f"{name}.primary_key", text + "the records of one parent are told from another's"
