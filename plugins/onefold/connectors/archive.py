"""Zip files of others: workbooks, packages of an export. What is in one is bounded before any of it is unpacked."""

import struct
import zipfile
import zlib
from typing import BinaryIO

MEMBERS = 10_000
LISTING = 4 * 1024**2
"""Bytes of the list of what is in an archive: all of it is held in memory, with an object for each 46 bytes of it."""
_READ = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Ways of packing that are unpacked piece by piece. Of bzip2 and LZMA zipfile unpacks all that a piece gives, and a
few hundred bytes of them give gigabytes."""


class Overfull(zipfile.BadZipFile):
    """An archive that is not opened, whole or not. Its text says why, and what to do."""


DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, UnicodeDecodeError, EOFError, NotImplementedError),
    RuntimeError,
)
"""What Python's zipfile raises for a file that is not whole, encrypted, or packed in a way that it does not
know, or whose members have names that are no text."""


def open_archive(file: BinaryIO, members: int = MEMBERS) -> zipfile.ZipFile:
    """The archive, to be closed. Raises Overfull for one with more than so many members, a list of them that is longer
    than LISTING, or one that is packed in a way which cannot be bounded; and what DAMAGED names.
    """
    zipfile.ZipFile(_ShortReads(file)).close()
    archive = zipfile.ZipFile(file)
    if len(archive.infolist()) > members:
        archive.close()
        raise Overfull(f"the archive holds more than {members} files: split it")
    if any(each.compress_type not in _READ for each in archive.infolist()):
        archive.close()
        raise Overfull("the archive is packed in a way that is not read (bzip2, LZMA, …): pack it as an ordinary zip")
    return archive


def damage(error: Exception) -> str:
    """What is wrong with an archive that could not be opened or unpacked, and what to do."""
    return str(error) if isinstance(error, Overfull) else "the archive is cut off or damaged: it cannot be unpacked"


class _ShortReads:
    """A file of which no long piece is read at once, as zipfile reads the list of members."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > LISTING:
            raise Overfull(f"the archive's list of files has {size >> 20} MiB: split it")
        return self._file.read(size)
