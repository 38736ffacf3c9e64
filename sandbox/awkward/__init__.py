"""Which records of the made-up world are ordinary but awkward: lawful, seldom thought of, and counted by kind."""

from sandbox.awkward.count import KINDS, Awkward, count
from sandbox.awkward.kind import Kind

__all__ = ["KINDS", "Awkward", "Kind", "count"]
