"""A question to a database ends, also where the server has stopped answering and its machine has not.

The server's own limits (statement_timeout) are no help against a server that hangs, and keepalives are answered by its
machine. So the connection is cut from here: whoever waits for it then gets an error of the driver.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass(slots=True)
class Cut:
    """Whether the connection was cut, because the time was over."""

    done: bool = False


@contextmanager
def cut_after(seconds: float, end: Callable[[], None] | None) -> Iterator[Cut]:
    """Call `end` when the block has not ended after so long; None: it is closed already, as the block will find."""
    cut = Cut()
    if end is None:
        yield cut
        return

    def over() -> None:
        cut.done = True
        end()

    timer = threading.Timer(seconds, over)
    timer.daemon = True
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()
        timer.join()


def shut_down(number: int) -> Callable[[], None]:
    """What cuts the connection whose socket has this number."""

    def end() -> None:
        with suppress(OSError), socket.socket(fileno=os.dup(number)) as wire:  # the driver may just have closed it
            wire.shutdown(socket.SHUT_RDWR)

    return end
