"""The one deterministic world that every stand-in shows a part of: same seed and size, same bytes."""

from sandbox.world.book import Book, Entry, Shelf
from sandbox.world.company import Company
from sandbox.world.parts import Parts
from sandbox.world.records import SourceRecord
from sandbox.world.world import World

__all__ = ["Book", "Company", "Entry", "Parts", "Shelf", "SourceRecord", "World"]
