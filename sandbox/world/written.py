"""What was written into the systems from outside, on disk too: a restarted sandbox has it still."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NUMBERED_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """What was written of one record, as its system's wire has it. `base`: the world has the record, and this is what
    was changed of it."""

    object: str
    key: str
    fields: dict[str, Any]
    created: datetime
    modified: datetime
    deleted: bool = False
    base: bool = False
    revision: int = 1


class Written:
    """The newest state of each record that was written, by object ("salesforce.Account") and key."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: defaultdict[str, dict[str, WrittenRow]] = defaultdict(dict)
        self._highest: defaultdict[str, int] = defaultdict(int)
        self.count = 0
        if path and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                stamps = {name: datetime.fromisoformat(row[name]) for name in ("created", "modified")}
                self._hold(WrittenRow(**{**row, **stamps}))
            for name, rows in self._rows.items():
                self._highest[name] = _tenths(max(row.created for row in rows.values())) + len(rows)

    def rows(self, name: str) -> dict[str, WrittenRow]:
        """The rows of an object by key, in the order in which they were first written."""
        return self._rows[name]

    def next_number(self, name: str) -> int:
        """The number of the next new record of an object: of none before, for no system gives a number twice, also
        after the world has begun anew."""
        self._highest[name] = max(_tenths(datetime.now(UTC)), self._highest[name] + 1)
        return self._highest[name]

    def put(
        self, name: str, key: str, fields: dict[str, Any], *, base: bool = False, deleted: bool = False
    ) -> WrittenRow:
        """Writes these fields of a record: a new one, or over what it has. A killed sandbox has it still."""
        now = datetime.now(UTC)
        before = self._rows[name].get(key)
        if before:  # a stamp of whole seconds must tell the two states apart
            now = max(now, before.modified + timedelta(seconds=1))
        row = WrittenRow(
            name, key, {**(before.fields if before else {}), **fields}, before.created if before else now, now,
            deleted, before.base if before else base, before.revision + 1 if before else 1,
        )  # fmt: skip
        if self._path:
            stamps = {"created": row.created.isoformat(), "modified": row.modified.isoformat()}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({**asdict(row), **stamps}) + "\n")
        self._hold(row)
        return row

    def clear(self) -> None:
        self._rows.clear()
        self.count += 1
        if self._path:
            self._path.unlink(missing_ok=True)

    def _hold(self, row: WrittenRow) -> None:
        self._rows[row.object][row.key] = row
        self.count += 1


def _tenths(at: datetime) -> int:
    """Tenths of a second since numbers are given."""
    return (at - NUMBERED_SINCE) // timedelta(milliseconds=100)
