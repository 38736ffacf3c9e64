"""Zip files of others: workbooks, packages of an export."""

import struct
import zipfile
import zlib

DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, UnicodeDecodeError, EOFError, NotImplementedError),
    RuntimeError,
)
"""What Python's zipfile raises for a file that is not whole, encrypted, or packed in a way that it does not
know, or whose members have names that are no text."""
