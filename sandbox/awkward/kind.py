"""What a kind of awkward records is, and the ways to find its records in a world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox.world import Entry, SourceRecord, World
from sandbox.world.book import key_text
from sandbox.world.parts import Part
from sandbox.world.records import System

Found = Iterator[tuple[str, str]]
Finder = Callable[[World], Found]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of awkward records; `found` gives each one's stream ("system.stream") and key, some perhaps twice."""

    name: str
    what: str
    found: Finder


def entries(world: World, stream: str) -> list[Entry] | list[Part]:
    """The rows of a stream, or its parts; none where the world does not hold it."""
    shelf = world.shelves.get(stream)
    return shelf.entries if shelf else []


def of_companies(system: System, is_one: Callable[[SourceRecord], bool]) -> Finder:
    """The sound records of companies in one of the four systems that hold them."""

    def found(world: World) -> Found:
        for record in world.records(system):
            if not record.broken and is_one(record):
                yield f"{system}.{record.stream}", record.key_text

    return found


def rows(stream: str, is_one: Callable[[World, Entry], bool]) -> Finder:
    """The sound rows of a stream."""

    def found(world: World) -> Found:
        for entry in entries(world, stream):
            if isinstance(entry, Entry) and not entry.broken and is_one(world, entry):
                yield stream, key_text(entry.key)

    return found


def parts(stream: str, is_one: Callable[[World, Part], bool]) -> Finder:
    """The sound parts (an order's lines) of a stream."""

    def found(world: World) -> Found:
        for part in entries(world, stream):
            if isinstance(part, Part) and not part.broken and is_one(world, part):
                yield stream, key_text(part.key)

    return found


def with_code(stream: str, *codes: str) -> Finder:
    """The rows of a stream that have one of these codes in the truth."""

    def found(world: World) -> Found:
        for entry in entries(world, stream):
            if entry.broken in codes:
                yield stream, key_text(entry.key)

    return found


def any_of(*finders: Finder) -> Finder:
    """What any of them finds."""

    def found(world: World) -> Found:
        for finder in finders:
            yield from finder(world)

    return found
