"""The system that golden records are written into: a register of persons, which loses answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.catalog.target import Target as WriteTarget
from onefold.connectors.outbound.contract import Change, Current, Outbound, Outcome, Result, Value

REGISTER = System.model_validate(
    {
        "system": "register",
        "title": "A register of persons",
        "protocol": "sql",
        "connection": "register",
        "schedule": "0 2 * * *",
        "streams": {
            "person": {
                "title": "People",
                "request": {"table": "people"},
                "primary_key": ["id"],
                "fields": {"id": "integer", "mail": "text", "credit": "numeric"},
            }
        },
    }
)


class Killed(BaseException):
    """The process is gone: nothing that would tidy up gets to run."""


def die() -> None:
    """What a process does that is killed."""
    raise Killed


@dataclass
class Register:
    """The other system: it takes every record that it is sent, twice where it is sent twice. Of the changes with these
    numbers the answer is lost, after the change was made or before it; at `dies_at` the sending process is killed."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    written: list[tuple[str, tuple]] = field(default_factory=list)
    lost: Mapping[int, bool] = field(default_factory=dict)
    dies_at: int | None = None
    moment: int = 0
    changes: int = 0
    keys: Callable[[], int] = field(default_factory=lambda: itertools.count(1).__next__)

    def pass_moment(self) -> None:
        self.moment += 1
        if self.moment == self.dies_at:
            die()

    def change(self, change: Change) -> str:
        """Make a change; returns the key."""
        key = change.key or str(self.keys())
        row = self.rows.get(key, {"version": 0})
        if change.kind == "delete":
            del self.rows[key]
        else:
            row = {**row, **change.fields, "reference": change.reference, "version": row["version"] + 1}
            self.rows[key] = row
            self.written.append((change.reference, (row["mail"], row["credit"])))
        return key


class RegisterOutbound(Outbound):
    """The way into the register."""

    batch = 2

    def __init__(self, register: Register, place: Any) -> None:
        super().__init__(place)
        self._register = register

    def apply(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        return [self._send(each) for each in changes]

    def _send(self, change: Change) -> Outcome:
        register = self._register
        register.pass_moment()
        register.changes += 1
        row = register.rows.get(change.key or "")
        if change.kind != "create" and (row is None or str(row["version"]) != change.version):
            return Outcome(change.id, Result.MOVED, change.key)
        made = register.lost.get(register.changes)
        key = register.change(change) if made is not False else None
        register.pass_moment()
        if made is not None:
            return Outcome(change.id, Result.AMBIGUOUS, reason="the answer was lost")
        return Outcome(change.id, Result.DONE, key)

    def find(self, references: Sequence[str]) -> Sequence[Current]:
        return self._those(lambda key, row: row["reference"] in references)

    def read(self, keys: Sequence[str]) -> Sequence[Current]:
        self._register.pass_moment()
        return self._those(lambda key, row: key in keys)

    def match(self, field: str, value: Value) -> Sequence[Current]:
        return self._those(lambda key, row: row[field] == value)

    def close(self) -> None:
        """Nothing is open."""

    def _those(self, asked: Callable[[str, Mapping[str, Any]], bool]) -> list[Current]:
        return [
            Current(key, row["reference"], {"mail": row["mail"], "credit": row["credit"]}, str(row["version"]))
            for key, row in self._register.rows.items()
            if asked(key, row)
        ]


def write_target(entity: Entity) -> WriteTarget:
    """The register as a target."""
    return WriteTarget.model_validate(
        {
            "target": f"r_{entity.entity}",
            "title": "The register",
            "system": "register",
            "protocol": "sql",
            "limits": {"rate": ["100000/s"], "timeout": "PT0.001S", "longest_run": "PT0S"},
            "approval": "always",
            "first_publish": "write",
            "objects": {
                "person": {
                    "entity": entity.entity,
                    "object": "people",
                    "stream": "person",
                    "key": "id",
                    "reference": "ref",
                    "match": {"email": "mail"},
                    "may": ["create", "update", "delete"],
                    "fields": {
                        "mail": {"attribute": "email", "required": True},
                        "credit": {"attribute": "credit", "format": "number"},
                    },
                }
            },
        }
    )
