"""What every stand-in says of itself: its name, its addresses, who may sign in, and what it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from starlette.routing import BaseRoute

from sandbox.world import Book, Parts, World


@dataclass(frozen=True, slots=True)
class Happened:
    """What a system that tells of it by itself did: the record's stream and key, and when it was committed or sent."""

    system: str
    stream: str
    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StandIn:
    """One source system.

    Attributes:
        system: its name in the catalogue; its addresses are below /<system>.
        routes: its addresses over a world.
        sign_in: login and password of the Airflow connection to it.
        extra: what else that connection holds.
        books: what it holds that are not companies.
        database: whether it is no server of its own but a database, which `refresh` fills.
        folder: whether it is a folder of files, which `refresh` fills.
        redis: whether it is a Redis, which the sandbox starts.
        refresh: brings what it keeps outside of this process (a database, files) up to the world: called at the
            start, and whenever time has passed or was turned back.
        happen: changes one record, of which the system tells by itself. Raises Unable where it cannot be told.
    """

    system: str
    routes: Callable[[World], list[BaseRoute]]
    sign_in: tuple[str | None, str | None] = (None, None)
    extra: Mapping[str, str] = field(default_factory=dict)
    books: tuple[Book | Parts, ...] = ()
    database: bool = False
    folder: bool = False
    redis: bool = False
    refresh: Callable[[World], None] | None = None
    happen: Callable[[World], Happened] | None = None


class Unable(Exception):
    """Nothing can happen at a stand-in; says why."""
