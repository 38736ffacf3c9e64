"""Files that are made to use up memory or time, as bytes."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Mapping

_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def zip_of(members: Mapping[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return file.getvalue()


def many_members(count: int, name: str = "%d.csv") -> bytes:
    """An archive of so many empty members; written by hand, for zipfile takes seconds (APPNOTE 4.3.7, 4.3.12–16)."""
    files, listing, at = list[bytes](), list[bytes](), 0
    for number in range(count):
        called = (name % number).encode()
        files.append(struct.pack("<4s2B4HL2L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 0, len(called), 0) + called)
        sizes = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, *[0] * 8, len(called), *[0] * 5, at)
        listing.append(sizes + called)
        at += len(files[-1])
    end, told = b"".join(listing), min(count, 0xFFFF)
    zip_64 = b""
    if count > told:
        zip_64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(end), at)
        zip_64 += struct.pack("<4sLQL", b"PK\6\7", 0, at + len(end), 1)
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, told, told, len(end), at, 0)
    return b"".join(files) + end + zip_64 + last


def nested_gzip(content: bytes, times: int) -> bytes:
    """The content, packed so many times."""
    for _ in range(times):
        content = gzip.compress(content, compresslevel=0)
    return content


def sheet_part(rows: str) -> bytes:
    """The part of a workbook that is its sheet."""
    return f'<worksheet xmlns="{_SHEET}"><sheetData>{rows}</sheetData></worksheet>'.encode()
