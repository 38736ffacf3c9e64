"""Whether a source has anything to load, asked so cheaply that it can be asked all the time."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from onefold.catalog.system import System


class Peek(Protocol):
    """A way to a source that stays open between questions; a context manager. Its questions change nothing there.

    It is used by one thread at a time. It tries nothing again: whoever asks opens another one after an error.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None, /
    ) -> None: ...

    def has_more(self, stream_name: str, checkpoints: Mapping[str, str]) -> bool:
        """Whether a load that went on from the published checkpoints (by partition) would find anything. Of a stream
        that is read by windows the checkpoint is the end of the last one, of the partition "".

        False where that cannot be said now, as while a load reads: it is asked again soon. Raises what the driver
        raises when the source does not answer, and OnefoldError.
        """


def asked_once(system: System) -> System:
    """The system with limits that try nothing again."""
    return system.model_copy(update={"limits": system.limits.model_copy(update={"attempts": 1})})
