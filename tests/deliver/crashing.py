"""Deliveries that die at a statement, and readers beside them; in processes of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb
import psycopg

from onefold.deliver.duckdb_file import DuckDbFile
from onefold.deliver.postgres import PostgresTarget
from onefold.deliver.target import Session, Target
from tests.deliver.world import World

READ = """
select (select min(status) || max(status) from conformed.customer),
    (select min(contact_key) || max(contact_key) from conformed.contact),
    (select min(status) || max(status) from marts.by_status),
    (select count(*) from conformed.customer_history where to_publish is null),
    (select sum(customers) from marts.by_status)
"""
"""One statement over two entities, a history and a mart: of one publish all tags are the same."""
CUSTOMERS = 5


def target_at(kind: str, address: str) -> Target:
    return (
        DuckDbFile("here", Path(address)) if kind == "duckdb" else PostgresTarget("here", address, "postgres://there")
    )


class Dying:
    """A target whose process dies when a session is asked something for the n-th time, before or after it was done."""

    def __init__(self, target: Target, at: int, die: Callable[[], object] = lambda: os._exit(9)) -> None:
        self.target, self.name, self.place = target, target.name, target.place
        self.at, self.calls, self.die = at, 0, die
        self.forgets_only_anew = target.forgets_only_anew

    @contextmanager
    def reading(self) -> Iterator[Session | None]:
        with self.target.reading() as session:
            yield session

    @contextmanager
    def writing(self, *, anew: bool = False) -> Iterator[DyingSession]:
        with self.target.writing(anew=anew) as session:
            yield DyingSession(session, self)
            self.count()
        self.count()

    def count(self) -> None:
        self.calls += 1
        if self.calls == self.at:
            self.die()


class DyingSession:
    def __init__(self, session: Session, owner: Dying) -> None:
        self.session, self.owner, self.dialect = session, owner, session.dialect

    def __getattr__(self, name: str) -> Callable:
        do = getattr(self.session, name)

        def done(*values: object) -> object:
            self.owner.count()
            result = do(*values)
            self.owner.count()
            return result

        return done


def deliver_and_die(url: str, kind: str, address: str, at: int, calls: Synchronized) -> None:
    """Deliver; dies at the `at`-th call. `calls` then has how many there were, where it did not."""
    dying = Dying(target_at(kind, address), at)
    World(url).deliver(dying)
    calls.value = dying.calls


def read_on(kind: str, address: str, stop: Event, reads: Synchronized, mixtures: Synchronized) -> None:
    """Read until told to stop; counts the answers, and those that are no single publish."""
    while not stop.is_set():
        customer, contact, mart, living, counted = read(kind, address)
        with reads:
            reads.value += 1
        if not customer == contact == mart or living != CUSTOMERS or counted != CUSTOMERS:
            with mixtures:
                mixtures.value += 1
        time.sleep(0.01)


def read(kind: str, address: str) -> tuple:
    if kind == "duckdb":
        with duckdb.connect(address, read_only=True) as connection:
            return connection.execute(READ).fetchone()
    with psycopg.connect(address) as connection:
        return connection.execute(READ).fetchone()
