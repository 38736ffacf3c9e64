"""What a load or a comparison asked of its system: every attempt is counted by its outcome into ops.usage."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import psycopg
from psycopg import sql

from onefold.http.attempt import Attempt
from onefold.load.ledger import Load


@dataclass(slots=True)
class _Sum:
    requests: int = 0
    bytes: int = 0
    milliseconds: float = 0
    used: int | None = None
    limit: int | None = None


class Usage:
    """Sums of attempts by HTTP status or error class; threads may add."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums: dict[str, _Sum] = {}

    def add(self, attempt: Attempt) -> None:
        """Count one attempt."""
        with self._lock:
            status = str(attempt.status) if attempt.error is None else str(attempt.error)
            total = self._sums.setdefault(status, _Sum())
            total.requests += 1
            total.bytes += attempt.bytes
            total.milliseconds += attempt.milliseconds
            total.used, total.limit = attempt.used or total.used, attempt.limit or total.limit

    @property
    def requests(self) -> int:
        """How many attempts have been counted."""
        with self._lock:
            return sum(total.requests for total in self._sums.values())

    def save(self, connection: psycopg.Connection, load: Load) -> None:
        """Add the sums to what earlier attempts at this load have used."""
        self._save(connection, "load_id", load.load_id, load.system, load.stream)

    def save_reconciliation(
        self, connection: psycopg.Connection, reconciliation_id: int, system: str, stream: str
    ) -> None:
        """Store the sums as those of a comparison of the stream with its source."""
        self._save(connection, "reconciliation_id", reconciliation_id, system, stream)

    def _save(self, connection: psycopg.Connection, of: str, number: int, system: str, stream: str) -> None:
        with self._lock, connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(
                _SAVE.format(of=sql.Identifier(of)),
                [
                    (
                        *(number, system, stream, status),
                        *(total.requests, total.bytes, total.milliseconds, total.used, total.limit),
                    )
                    for status, total in self._sums.items()
                ],
            )


_SAVE = sql.SQL(
    """
    insert into ops.usage ({of}, system, stream, status, requests, bytes, milliseconds, quota_used, quota_limit)
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    on conflict ({of}, status) do update
    set requests = ops.usage.requests + excluded.requests, bytes = ops.usage.bytes + excluded.bytes,
        milliseconds = ops.usage.milliseconds + excluded.milliseconds,
        quota_used = excluded.quota_used, quota_limit = excluded.quota_limit
    """
)
