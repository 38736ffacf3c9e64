"""Files that come packed, as .gz or .zip: known by their first bytes, whatever their name says.

An archive may hold several files; all of them are read, in the order of their names.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import IO, BinaryIO

from onefold.connectors.archive import DAMAGED, damage, open_archive
from onefold.connectors.files.unfit import Damaged, Unfit
from onefold.foreign_text import shown_name
from onefold.http.spool import CHUNK, Spool

UNPACKED = 4 * 1024**3
LAYERS = 3
"""Of gzip within each other; one may be made that unpacks to itself."""
RATIO, SMALL = 200, 16 * 1024**2
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_OTHERS = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
"""How files begin that are packed in a way which is not read."""
_WORKBOOK = "[Content_Types].xml"


def unpack(
    file: BinaryIO, kind: str, largest: int = UNPACKED, layers: int = LAYERS
) -> Iterator[tuple[str | None, BinaryIO]]:
    """What is to be read: the file itself, or each in the archive with its name there. Raises Unfit, also for what has
    more than `largest` bytes unpacked, and for what is packed more than `layers` times."""
    file.seek(0)
    if file.read(2) == _GZIP:
        if not layers:
            raise Unfit(f"it is packed more than {LAYERS} times; send what is in it")
        with closing(_gunzipped(file, largest)) as content:
            yield from unpack(content, kind, largest, layers - 1)
    else:
        yield from _unzipped(file, kind, largest)


def _unzipped(file: BinaryIO, kind: str, largest: int) -> Iterator[tuple[str | None, BinaryIO]]:
    file.seek(0)
    start = file.read(6)
    file.seek(0)
    if way := next((name for begins, name in _OTHERS.items() if start.startswith(begins)), None):
        raise Unfit(f"it is packed as {way}, which is not read: send it as it is, or as .gz or .zip")
    if start.startswith(_ZIP) and not (kind == "xlsx" and _may_be_workbook(file)):
        yield from _members(file, kind, largest)
    else:
        yield None, file


def require_small(unpacked: int, packed: int, largest: int = UNPACKED) -> None:
    """Raises Unfit for what takes up far more room than it came in, or more than `largest` bytes."""
    if unpacked > largest or (unpacked > SMALL and unpacked > RATIO * packed):
        raise Unfit(f"it would be {unpacked >> 20} MiB unpacked from {packed >> 10} KiB: a bomb, or to be split")


def _gunzipped(file: BinaryIO, largest: int) -> Spool:
    packed = file.seek(0, 2)
    file.seek(0)
    content = Spool()
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as source:
            _copy(source, content, packed, largest)
    except (OSError, EOFError, zlib.error) as error:  # gzip.BadGzipFile is an OSError
        content.close()
        raise Damaged("the archive is cut off or damaged: it cannot be unpacked") from error
    except Unfit:
        content.close()
        raise
    return content.rewound()


def _members(file: BinaryIO, kind: str, largest: int) -> Iterator[tuple[str | None, BinaryIO]]:
    try:
        with open_archive(file) as archive:
            entries = [each for each in archive.infolist() if not each.is_dir() and not _is_litter(each.filename)]
            if not entries:
                raise Unfit("the archive is empty")
            if any(each.flag_bits & 1 for each in entries):
                raise Unfit("the archive is encrypted; send it without a password")
            require_small(sum(each.file_size for each in entries), sum(each.compress_size for each in entries), largest)
            for entry in sorted(entries, key=lambda each: each.filename):
                with closing(Spool()) as content, archive.open(entry) as source:
                    _copy(source, content, entry.compress_size, largest)
                    yield entry.filename, _no_archive(content.rewound(), entry.filename, kind)
    except DAMAGED as error:
        raise Damaged(damage(error)) from error


def _no_archive(content: Spool, name: str, kind: str) -> Spool:
    start = content.read(4)
    content.seek(0)
    if start.startswith(_GZIP) or (start == _ZIP and kind != "xlsx"):
        raise Unfit(f"the archive holds another ({shown_name(name)}); send what is in it")
    return content


def _copy(source: gzip.GzipFile | IO[bytes], content: Spool, packed: int, largest: int) -> None:
    size = 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        require_small(size, packed, largest)
        content.write(chunk)


def _is_litter(name: str) -> bool:
    """What macOS and Windows add to archives by themselves."""
    last = name.rpartition("/")[2]
    return name.startswith("__MACOSX/") or last.startswith(".") or last.lower() in ("thumbs.db", "desktop.ini")


def _may_be_workbook(file: BinaryIO) -> bool:
    """Whether the archive is a workbook itself, or one that is damaged, of which the workbook's reader says so."""
    try:
        with open_archive(file) as archive:
            names = archive.namelist()
    except DAMAGED:
        return True
    finally:
        file.seek(0)
    return _WORKBOOK in names or not any(name.lower().endswith(".xlsx") for name in names)
