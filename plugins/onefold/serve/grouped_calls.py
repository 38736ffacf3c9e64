"""Calls that are made together: what comes while one is under way goes with the next, so that many share a commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Given = TypeVar("Given")
Answer = TypeVar("Answer")

MOST = 500
"""Of one call."""
WAITING = 5_000
"""What may wait; what comes then is refused."""


class Overloaded(Exception):
    """Too much waits already."""


class GroupedCalls(Generic[Given, Answer]):
    """`call` gives an answer for each of what it is given, or raises for all of them."""

    def __init__(self, call: Callable[[Sequence[Given]], Awaitable[Sequence[Answer]]]) -> None:
        self._call = call
        self._waiting: list[tuple[Given, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, given: Given) -> Answer:
        """The answer for this one. Raises what the call raises, or Overloaded."""
        if len(self._waiting) >= WAITING:
            raise Overloaded
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((given, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            (answers,) = await asyncio.gather(self._call([given for given, _ in group]), return_exceptions=True)
            if isinstance(answers, BaseException):
                for _, future in group:
                    if not future.done():
                        future.set_exception(answers)
                continue
            for (_, future), answer in zip(group, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
