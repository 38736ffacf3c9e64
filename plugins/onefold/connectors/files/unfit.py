"""Why a file cannot be used."""

from __future__ import annotations


class Unfit(Exception):
    """A file cannot be used. Its text says why, never with a value from it."""


class Damaged(Unfit):
    """A file is cut off, or was spoiled on its way: another copy of it may be whole."""


class Empty(Unfit):
    """A file holds no record, nor a header."""
