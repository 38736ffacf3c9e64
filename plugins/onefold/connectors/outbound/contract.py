"""The contract between write-back and what writes to a target, whatever its protocol.

Every change is sent at most once. Whether it was written is told by its outcome, which never says more than is known:
who gets AMBIGUOUS searches by the reference, and not before `longest_run` is over.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType, TracebackType
from typing import Any, Literal, Self, get_args

from onefold.catalog.system import System

Value = str | int | Decimal | bool | date | datetime | None
"""A field's value. Numbers are exact, never floats; a datetime has a zone. None says NULL; a field that is not named
is left as it is."""
Kind = Literal["text", "number", "boolean", "date", "timestamp", "uuid"]
"""How a field's values are given and read: str, int or Decimal (read as Decimal), bool, date, datetime, str."""
KINDS: tuple[Kind, ...] = get_args(Kind)
ChangeKind = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Place:
    """The object of a target that is written: a table, an entity set, a kind of records.

    `system` is whose connection, sign-in and limits are used, with the target's own limits in it. `fields` has every
    field that is written or read, with its kind; `key` is the target's own key and `reference` the field that holds
    our reference: both are text where `fields` has no other kind for them. `version_field` is the field that tells a
    record's version, where the protocol has no version of its own. `settings` are the protocol's own, as the target's
    YAML says them.
    """

    target: str
    system: System
    object: str
    key: str
    reference: str
    fields: Mapping[str, Kind]
    longest_run: timedelta
    version_field: str | None = None
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def named(self) -> str:
        """What messages call it."""
        return f"{self.target}: {self.object}"

    def kind(self, name: str) -> Kind:
        """The kind of a field's values."""
        return self.fields.get(name, "text")


@dataclass(frozen=True, slots=True)
class Change:
    """One record to write. `id` is the idempotency key of our intent; `reference` is written into the target's record.
    `key` is the target's own key, None for a create. `version` is the one that `read` gave, None for a create; an
    update or delete without one is refused. Its repr shows no values."""

    id: str
    kind: ChangeKind
    reference: str
    key: str | None
    fields: Mapping[str, Value] = field(repr=False)
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Current:
    """One record as the target has it now. `reference` is None where it has none of ours. `fields` has the fields of
    the place that the target gave. Its repr shows no values."""

    key: str
    reference: str | None
    fields: Mapping[str, Value] = field(repr=False)
    version: str


class Result(StrEnum):
    """What is known about a change."""

    DONE = "done"
    """Surely written; the outcome has its key and, where the target told it, its version."""
    REFUSED = "refused"
    """The target said no, and will again: somebody must fix something first. Nothing was written."""
    MOVED = "moved"
    """The record is no longer in the version that the change was made for, or is gone. Nothing was written."""
    AMBIGUOUS = "ambiguous"
    """Nobody knows: the answer was lost, or came too late, or told of an error after the body was sent."""
    NOT_SENT = "not_sent"
    """Surely not written: nothing was sent, or the target said that it did not begin. It may be asked again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the change with this `id`. `reason` holds no personal value and no secret."""

    id: str
    result: Result
    key: str | None = None
    version: str | None = None
    reason: str | None = None


class Outbound(ABC):
    """Writes the records of one place and reads them. A context manager; for one thread at a time.

    `batch`: how many changes one `apply` may take. `longest_run`: after this time an unanswered request surely does
    not run any more at the target.
    """

    def __init__(self, place: Place) -> None:
        self.place = place

    batch: int = 1

    @property
    def longest_run(self) -> timedelta:
        return self.place.longest_run

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None, /
    ) -> None:
        self.close()

    @abstractmethod
    def apply(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        """Write them: one outcome a change, in their order. A change that fails raises nothing. Raises ValueError for
        more than `batch`, or for two changes of one record."""

    @abstractmethod
    def find(self, references: Sequence[str]) -> Sequence[Current]:
        """Every record that has one of our references: none, one or several for each.

        Raises Retriable when the target cannot be asked now, Fatal when it refuses.
        """

    @abstractmethod
    def read(self, keys: Sequence[str]) -> Sequence[Current]:
        """The records with these keys of the target; those that are not there are left out. Raises as `find`."""

    @abstractmethod
    def match(self, field: str, value: Value) -> Sequence[Current]:
        """Every record whose field has this value. Raises as `find`."""

    @abstractmethod
    def close(self) -> None:
        """Give back what is open."""
