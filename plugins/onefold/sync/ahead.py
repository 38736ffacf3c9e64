"""Reads the next page while this one is written: the source and the database work at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
_END = object()


def one_ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items in the same order, each asked for, in a thread, before the one before it is used.

    What the source raises is raised where its item would have come. Left early, it first waits for the item on its way.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="one page ahead") as reader:
        following = reader.submit(next, items, _END)
        while (item := following.result()) is not _END:
            following = reader.submit(next, items, _END)
            yield item
