"""The checkpoint of a stream that is read from a log: text in ops.stream_checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from onefold.errors import Fatal


@contextmanager
def stored(named: str) -> Iterator[None]:
    """Reading a stored checkpoint. Raises Fatal when what is stored is none of this kind."""
    try:
        yield
    except (msgspec.MsgspecError, ValueError) as error:
        raise Fatal(
            f"{named}: what is stored of its position (ops.stream_checkpoint) is no position in a log of changes. "
            "If the stream was read in another way before, load it anew (bin/onefold sync --help, --anew)."
        ) from error
