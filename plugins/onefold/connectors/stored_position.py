"""What is stored of a stream's position (ops.stream_checkpoint), read back by the connector that has written it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from onefold.errors import Fatal


def anew(named: str) -> str:
    """The command that loads a stream (system.stream) from the oldest that its source still has."""
    system, _, stream = named.partition(".")
    return f"bin/onefold sync {system} --anew {stream}"


@contextmanager
def stored(named: str, kind: str) -> Iterator[None]:
    """Reading a stored position. Raises Fatal when what is stored is none of this kind: "position in the inbox"."""
    try:
        yield
    except (msgspec.MsgspecError, ValueError) as error:
        raise Fatal(
            f"{named}: what is stored of its position (ops.stream_checkpoint) is no {kind}. "
            f"If the stream was read in another way before, load it anew: {anew(named)}"
        ) from error
