"""What is said outside of the warehouse: by the catalogue's files, and by the settings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from onefold.catalog.data_protection import class_periods, personal_classes, read_data_protection, stream_periods
from onefold.catalog.reader import Catalog
from onefold.evidence.files import Row

RETENTION = (
    *("what", "personal_classes", "history_days", "deleted_days", "quarantine_days", "waiting_days"),
    "history_days_by_class",
)
FINGERPRINTS = ("file", "sha256")
_FOLDERS = ("catalog", "expectations", "dbt_project/macros")


def retention(catalog: Catalog, root: Path) -> Iterator[Row]:
    """How long what is no longer current is kept: each stream, then what Onefold itself records."""
    everywhere = read_data_protection(root)
    for name, system in sorted(catalog.systems.items()):
        for stream_name, stream in system.streams.items():
            kept = stream_periods(stream, everywhere)
            periods = (kept.history, kept.deleted, kept.quarantine, kept.waiting)
            yield [
                f"{name}.{stream_name}",
                " ".join(sorted(personal_classes(stream))),
                *(each.days for each in periods),
                " ".join(f"{name}={period.days}" for name, period in class_periods(stream).items()),
            ]
    for what, period in everywhere.technical:
        yield [f"onefold.{what}", "", period.days, None, None, None, ""]


def fingerprints(root: Path) -> Iterator[Row]:
    """The hash of each file that decides what is integrated and how."""
    for folder in _FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                yield [path.relative_to(root).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()]
