"""Asks the registers what the warehouse does not know, or knows from too long ago: with the engine's own client, rates,
quotas and circuit breaker.

The same question at once is asked once: of the tasks of this process by one of them, of all processes by who has its
turn in the warehouse first (ops.take_api_question); the others find the answer there.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb, set_json_loads

from onefold.catalog.reader import Catalog
from onefold.catalog.system import System
from onefold.connectors.registry import open_transport
from onefold.errors import Fatal, OnefoldError, Retriable
from onefold.http.attempt import Attempt
from onefold.http.breaker import BREAKERS
from onefold.http.client import Client as HttpClient
from onefold.http.endpoint import Endpoint
from onefold.http.limit import Limiter, WarehouseLimiter
from onefold.serve.erased import without_erased
from onefold.serve.json_text import decode, encode
from onefold.serve.question import Answer, NoAnswer, Question

log = logging.getLogger(__name__)
WAIT = 8.0
"""Seconds that a request waits for a register; its answer is stored all the same when it comes later."""
ATTEMPTS, TIMEOUT = 2, timedelta(seconds=5)
"""Of one question: who asks waits for it, unlike a load."""
THREADS = 8
MOST_OPEN = 500
"""Questions that may wait for a thread."""
LEFT_ALONE = 10.0
"""Seconds that a register is not asked after it has failed."""
_HELD = """
select outcome, answered_at, proof, content, people from ops.api_answer
where system = %(system)s and stream = %(stream)s and lookup_key = %(key)s"""
_STORE = """
insert into ops.api_answer (system, stream, lookup_key, outcome, answered_at, proof, content, people)
values (%(system)s, %(stream)s, %(key)s, %(outcome)s, %(answered_at)s, %(proof)s, %(content)s, %(people)s)
on conflict (system, stream, lookup_key) do update set outcome = excluded.outcome, answered_at = excluded.answered_at,
    proof = excluded.proof, content = excluded.content, people = excluded.people"""


class Asker(Protocol):
    """Asks a register over its transport. Raises Retriable or Fatal; the connection is for what SQL computes."""

    def __call__(
        self,
        question: Question,
        system: System,
        endpoint: Endpoint,
        http: HttpClient,
        warehouse: psycopg.Connection[Any],
    ) -> Answer: ...


def rates_of_api(rates: Sequence[str]) -> list[str]:
    """The rates that the API keeps: the system's, and half of each quota of a day, so that the other half is left for
    loads however much the API is asked."""
    halves = []
    for text in rates:
        count, _, unit = text.partition("/")
        if unit.startswith("day"):
            halves.append(f"{max(1, int(count) // 2)}/{unit}")
    return [*rates, *halves]


@dataclass(frozen=True, slots=True)
class _Way:
    """A transport to a register, and the attempts that were made on it for the question that has it now."""

    system: System
    endpoint: Endpoint
    transport: HttpClient
    attempts: list[Attempt]


class Registers:
    """The way of one process to all registers. `askers` are by system and stream."""

    def __init__(
        self,
        catalog: Catalog,
        askers: Mapping[tuple[str, str], Asker],
        endpoint_of: Callable[[str], Endpoint],
        writer_url: str,
        limiter: Limiter | None = None,
    ) -> None:
        self._catalog = catalog
        self._askers = askers
        self._endpoint_of = endpoint_of
        self._url = writer_url
        self._limiter = limiter or WarehouseLimiter(writer_url)
        self._threads = ThreadPoolExecutor(THREADS, "ask-register")
        self._open: dict[Question, asyncio.Future[Answer]] = {}
        self._failed_at: dict[str, float] = {}
        self._ways: dict[str, list[_Way]] = {}
        self._lock = threading.Lock()

    async def ask(self, question: Question, client: str) -> Answer:
        """The register's answer of the last 24 hours, asked for now where there is none. Raises NoAnswer."""
        if time.monotonic() - self._failed_at.get(question.system, float("-inf")) < LEFT_ALONE:
            raise NoAnswer(f"{question.system} has just failed, and is left alone for some seconds")
        asking = self._open.get(question)
        if asking is None:
            if len(self._open) >= MOST_OPEN:
                raise NoAnswer(f"too many questions wait for {question.system}")
            loop = asyncio.get_running_loop()
            asking = loop.run_in_executor(self._threads, self._ask, question, client)
            self._open[question] = asking
            asking.add_done_callback(lambda done: self._done(question, done))
        try:
            return await asyncio.wait_for(asyncio.shield(asking), WAIT)
        except TimeoutError:
            raise NoAnswer(f"{question.system} did not answer within {WAIT:.0f} s") from None

    def close(self) -> None:
        """Ask nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for way in (way for ways in self._ways.values() for way in ways):
            way.transport.close()
        if isinstance(self._limiter, WarehouseLimiter):
            self._limiter.close()

    def _done(self, question: Question, done: asyncio.Future[Answer]) -> None:
        self._open.pop(question, None)
        failure = None if done.cancelled() else done.exception()
        if failure is not None and isinstance(failure.__cause__, Retriable):  # it is down, and not one question odd
            self._failed_at[question.system] = time.monotonic()

    def _ask(self, question: Question, client: str) -> Answer:
        """In a thread. The turn is held until the answer is stored."""
        came_at = datetime.now(UTC)
        names = {"system": question.system, "stream": question.stream, "key": question.key}
        try:
            with psycopg.connect(self._url, application_name="onefold api") as warehouse:
                set_json_loads(decode, warehouse)
                warehouse.execute("set local timezone = 'UTC'")
                warehouse.execute("select ops.take_api_question(%s)", (str(question),))
                held = warehouse.cursor(row_factory=dict_row).execute(_HELD, names).fetchone()
                if held is not None and (answer := Answer(question, **held)).is_fresh(came_at):
                    return answer
                with self._way(question, client, warehouse) as way:
                    answer = without_erased(self._asked(question, way, warehouse), warehouse)
                given = {"content": Jsonb(answer.content, encode), "people": Jsonb(answer.people, encode)}
                stored = {"outcome": answer.outcome, "answered_at": answer.answered_at, "proof": answer.proof}
                warehouse.execute(_STORE, names | stored | given)
                return answer
        except OnefoldError as error:
            log.warning("A register was asked in vain: %s", error)
            raise NoAnswer(f"{question.system} does not answer") from error
        except psycopg.Error as error:
            log.warning("The answer of %s could not be stored: %s", question.system, type(error).__name__)
            raise NoAnswer(f"what {question.system} answers cannot be stored") from error

    def _asked(self, question: Question, way: _Way, warehouse: psycopg.Connection[Any]) -> Answer:
        asker = self._askers.get((question.system, question.stream))
        if asker is None:
            raise Fatal(f"{question.system} cannot be asked for {question.stream}.")
        return asker(question, way.system, way.endpoint, way.transport, warehouse)

    def _system(self, name: str) -> System:
        """The system, with the patience of somebody who waits."""
        if name not in self._catalog.systems:
            raise Fatal(f"There is no {name} in the catalogue: add catalog/systems/{name}.yaml.")
        system = self._catalog.systems[name]
        patience = {"attempts": ATTEMPTS, "timeout": TIMEOUT, "rate": rates_of_api(system.limits.rate)}
        limits = system.limits.model_copy(update=patience)
        return system.model_copy(update={"limits": limits})

    @contextmanager
    def _way(self, question: Question, client: str, warehouse: psycopg.Connection[Any]) -> Iterator[_Way]:
        """A way to the register that nobody else uses meanwhile. What was tried on it is counted, also in vain."""
        with self._lock:
            free = self._ways.setdefault(question.system, [])
            way = free.pop() if free else None
        way = way or self._new_way(question.system)
        failed = True
        try:
            yield way
            failed = False
        finally:
            for each in way.attempts:
                status = str(each.status) if each.error is None else str(each.error)
                values = (client, question.system, question.stream, status, each.bytes, each.milliseconds)
                warehouse.execute("select ops.count_api_question(%s, %s, %s, %s, %s, %s)", values)
            way.attempts.clear()
            if failed:
                warehouse.commit()
            with self._lock:
                self._ways[question.system].append(way)

    def _new_way(self, name: str) -> _Way:
        system, attempts = self._system(name), list[Attempt]()
        endpoint = self._endpoint_of(system.connection)
        made = open_transport(system, endpoint, attempts.append, limiter=self._limiter, stream="api", breakers=BREAKERS)
        if not isinstance(made, HttpClient):
            raise Fatal(f"{name} is not reached by HTTP, so the API cannot ask it.")
        return _Way(system, endpoint, made, attempts)
