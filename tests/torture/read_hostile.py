"""`python -m tests.torture.read_hostile <folder> <kind> <MiB>`: reads files with so much memory."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from onefold.catalog.system import System
from tests.connectors.files.office import Office, keys, office, read, refused
from tests.connectors.files.test_bad_files import xlsx, xml


def system_of(kind: str) -> System:
    """The system whose files are of this kind."""
    return {"csv": office, "xlsx": xlsx, "xml": xml}[kind]()


if __name__ == "__main__":
    root, kind, mib = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20))
    pages = read(Office(root, "", root, system_of(kind)))
    print(f"read {len(keys(pages))} records")
    for reason in refused(pages).values():
        print(f"refused: {reason}")
