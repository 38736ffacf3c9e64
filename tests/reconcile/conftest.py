"""A source of a test's own whose truth is a dictionary: what it gives, and what it counts, follow from that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from onefold.connectors.counting import Counter
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.connectors.window import Window
from onefold.load.job import Job
from onefold.reconcile.compare import Comparison, compare_stream
from onefold.warehouse.connection import connect
from tests.load.shop import SHOP, SUITE, Shop

YEAR = datetime(2025, 1, 1, tzinfo=UTC)


def stamp(at: datetime) -> str:
    """A cursor value."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Source:
    """A shop and what it truly has, by key. `asked` are the windows that were read, `counted` those it counted."""

    shop: Shop
    records: dict[str, Record] = field(default_factory=dict)
    asked: list[Window] = field(default_factory=list)
    counted: list[Window] = field(default_factory=list)
    counts: bool = False

    def put(self, key: str, days: float, **content: object) -> None:
        """A record that was changed so many days after the year began."""
        at = stamp(YEAR + timedelta(days=days))
        made = {"id": key, "name": f"Name {key}", "credit": 10, "changed": at, **content}
        self.records[key] = Record(key, at, False, msgspec.json.encode(made))

    def fill(self, count: int = 300) -> None:
        """So many records, one a day, all loaded."""
        for number in range(count):
            self.put(f"k{number:04}", number)
        self.load()

    def load(self) -> None:
        self.shop.run(self.job())

    def job(self) -> Job:
        """A job that reads the truth by window, in pages of seven."""

        @contextmanager
        def source(stream_name: str, usage: object) -> Iterator[object]:
            def read(window: Window, token: str | None) -> Iterator[Page]:
                self.asked.append(window)
                found = [r for r in self.records.values() if self._in(r, window)]
                for first in range(0, len(found), 7):
                    yield Page(found[first : first + 7], datetime.now(UTC), str(first + 7))
                yield Page([], datetime.now(UTC), None)

            yield read

        return replace(self.shop.job([]), source=source)

    @contextmanager
    def counter(self, stream_name: str, usage: object) -> Iterator[Counter | None]:
        def count(windows: Sequence[Window]) -> list[int]:
            self.counted += windows
            return [sum(self._in(r, window) for r in self.records.values()) for window in windows]

        yield Counter(12, count) if self.counts else None

    def compare(self, start: datetime | None = YEAR, **how: object) -> Comparison:
        self.asked.clear()
        return compare_stream(self.job(), self.counter, start, **how)

    def lose(self, *keys: str) -> None:
        """Take records out of staging by hand, as no load ever does."""
        with connect(self.shop.url, autocommit=True) as connection:
            connection.execute("delete from staging.shop__customer where _key = any (%s)", (list(keys),))

    def drift(self) -> list[tuple]:
        return self.shop.query("select _key, kind from ops.drift order by 1")

    @staticmethod
    def _in(record: Record, window: Window) -> bool:
        return stamp(window.start) <= (record.cursor or "") < stamp(window.end)


@pytest.fixture
def source(loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """An empty source and the warehouse that it is loaded into."""
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    (tmp_path / "shop__customer.yaml").write_text(SUITE)
    return Source(Shop(loader_url, tmp_path, SHOP))
