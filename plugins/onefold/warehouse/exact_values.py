"""Values of PostgreSQL that Python cannot hold come as PostgreSQL's own text instead of failing the whole query.

Python's dates end at the year 9999 and know neither infinity nor years before Christ; its times end before 24:00; its
timedelta takes a month for 30 days (psycopg, "Date/time types adaptation", "Infinity dates handling").
"""

from __future__ import annotations

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.types import datetime as standard


class _Text(Loader):
    """The value as PostgreSQL writes it."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode()


class _TextIfUnfit(Loader):
    """The value as Python has it, or else as PostgreSQL writes it."""

    standard: type[Loader]

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._standard = self.standard(oid, context)

    def load(self, data: Buffer) -> object:
        try:
            return self._standard.load(data)
        except (psycopg.DataError, ValueError, OverflowError):
            return bytes(data).decode()


_STANDARD: dict[str, type[Loader]] = {
    "date": standard.DateLoader,
    "time": standard.TimeLoader,
    "timetz": standard.TimetzLoader,
    "timestamp": standard.TimestampLoader,
    "timestamptz": standard.TimestamptzLoader,
}


def load_intervals_as_text(context: AdaptContext) -> None:
    """Intervals come as text from now on, in the session's IntervalStyle."""
    context.adapters.register_loader("interval", _Text)


def load_unfit_times_as_text(context: AdaptContext) -> None:
    """Dates and times that Python cannot hold come as text from now on. Slower than psycopg's own reading of them."""
    for name, loader in _STANDARD.items():
        context.adapters.register_loader(name, type(f"{name}_text_if_unfit", (_TextIfUnfit,), {"standard": loader}))


def load_json_as_text(context: AdaptContext) -> None:
    """JSON comes as the text that PostgreSQL writes from now on: read into Python, its numbers would be rounded."""
    for name in ("json", "jsonb"):
        context.adapters.register_loader(name, _Text)


def is_unfit_for_python(error: BaseException | None) -> bool:
    """Whether the client, not the server, refused a value."""
    return isinstance(error, psycopg.DataError) and error.sqlstate is None
