"""What each kind of target gives: a session to read it, and one to write to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from onefold.deliver.dialect import Dialect
from onefold.deliver.table import Column

Text = str | None
"""A value in the form that Dialect.text_of() gives it; None is NULL."""


class Session(Protocol):
    """A connection to a target. Everything commits by itself, unless within transaction()."""

    @property
    def dialect(self) -> Dialect: ...

    def execute(self, statement: str) -> int:
        """Execute one statement; returns how many rows it has changed, 0 where it changes none."""
        ...

    def rows(self, query: str) -> Iterator[tuple[object, ...]]:
        """What a query gives, without holding all of it in memory; read to its end before anything else is asked."""
        ...

    def load(self, stored: str, columns: Sequence[Column], rows: Iterator[Sequence[Text]]) -> int:
        """Append rows to one of Onefold's own tables, of their texts; returns how many."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """What is executed within becomes durable together or not at all."""
        ...


class Target(Protocol):
    """A warehouse that is delivered to. Its sessions raise Retriable when it cannot be reached or written to, and Fatal
    when it refuses."""

    name: str
    place: str
    """Where it is, without who signs in: for lineage."""
    forgets_only_anew: bool
    """Whether what was deleted can stay readable in it until it is made anew, as in a file."""

    def reading(self) -> AbstractContextManager[Session | None]:
        """A session that only reads what analysts see; None where nothing was delivered yet."""
        ...

    def writing(self, *, anew: bool = False) -> AbstractContextManager[Session]:
        """A session that writes; `anew`: to nothing, which takes the place of what there is. What is left of one that
        died is done away with by the next."""
        ...


def integer(session: Session, query: str) -> int:
    """The one integer that a query gives."""
    ((value,),) = session.rows(query)
    return int(str(value))
