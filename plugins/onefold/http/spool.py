"""Where an answer lies while it is read: in memory while it is small, in a temporary file when it grows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from onefold.errors import Retriable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

IN_MEMORY = 4 * 1024 * 1024
CHUNK = 64 * 1024


class Spool(SpooledTemporaryFile[bytes], BinaryIO):
    """An unnamed file of this process alone. Raises Retriable when the disk takes no more."""

    def __init__(self) -> None:
        super().__init__(max_size=IN_MEMORY)

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise _no_room(error) from error

    def rewound(self) -> Spool:
        """The same, complete and at its start."""
        try:
            self.seek(0)  # what was still on its way to the disk goes there now
        except OSError as error:
            raise _no_room(error) from error
        return self


def spooled(pieces: Iterable[bytes]) -> Spool:
    """What comes piece by piece, complete and at its start."""
    spool = Spool()
    for piece in pieces:
        spool.write(piece)
    return spool.rewound()


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """What is left of the file, in pieces."""
    while chunk := file.read(CHUNK):
        yield chunk


def _no_room(error: OSError) -> Retriable:
    return Retriable(
        f"an answer could not be kept in the temporary folder {tempfile.gettempdir()}: {error.strerror}. Make room "
        "there, or set TMPDIR to a folder that has some; nothing was changed here."
    )
