"""Ends readers' sessions that hold up vacuum, a migration or a publish, also while no load and no conform runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from onefold.warehouse.db_errors import safe_message
from onefold.warehouse.overdue_readers import end_overdue_readers

log = logging.getLogger(__name__)


@dataclass
class OverdueReaders:
    """Call it in every round; it looks once in so many seconds (`every`). `connect` gives a connection to the
    warehouse as the loader role, which gives up soon."""

    connect: Callable[[], psycopg.Connection]
    every: float
    clock: Callable[[], float] = time.monotonic
    looked: float | None = None

    def __call__(self) -> None:
        now = self.clock()
        if self.looked is not None and now - self.looked < self.every:
            return
        self.looked = now
        try:
            with self.connect() as warehouse:
                end_overdue_readers(warehouse)
        except psycopg.Error as error:
            log.warning(
                "Whether readers hold others up could not be seen (%s); it is looked again.", safe_message(error)
            )
