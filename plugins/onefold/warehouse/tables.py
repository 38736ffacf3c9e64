"""The names of a stream's tables. Landing tables belong to one load and go with it; staging tables stay."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

SHARED_LANDING_TABLES = ("lookup_result", "partition", "resume_token", "unreadable")
"""Tables of schema landing that hold rows of all loads, by load_id."""


@dataclass(frozen=True, slots=True)
class StagingTable:
    """staging.<system>__<stream>, and the views of its newest published versions."""

    system: str
    stream: str

    @property
    def name(self) -> str:
        return f"{self.system}__{self.stream}"

    @property
    def versions(self) -> sql.Identifier:
        return sql.Identifier("staging", self.name)

    @property
    def current_name(self) -> str:
        return f"{self.name}__current"

    @property
    def current(self) -> sql.Identifier:
        return sql.Identifier("staging", self.current_name)

    @property
    def plain_name(self) -> str:
        return f"{self.name}__plain"

    @property
    def plain(self) -> sql.Identifier:
        """The current records' fields that are not personal."""
        return sql.Identifier("staging", self.plain_name)

    @property
    def waiting_name(self) -> str:
        return f"{self.name}__waiting"

    @property
    def waiting(self) -> sql.Identifier:
        """The same fields of the records that wait in quarantine."""
        return sql.Identifier("staging", self.waiting_name)

    @property
    def changes(self) -> sql.Identifier:
        """The view of every change, of a stream that stores them all."""
        return sql.Identifier("staging", f"{self.name}__changes")


@dataclass(frozen=True, slots=True)
class LandingTables:
    """The transient tables of one load, one step after the other."""

    load_id: int

    @property
    def pages_name(self) -> str:
        return f"load_{self.load_id}"

    @property
    def pages(self) -> sql.Identifier:
        """Every record of every page, as received."""
        return sql.Identifier("landing", self.pages_name)

    @property
    def listed_name(self) -> str:
        return f"load_{self.load_id}__listed"

    @property
    def listed(self) -> sql.Identifier:
        """The keys that a sweep has listed; its pages then hold what is missing from them."""
        return sql.Identifier("landing", self.listed_name)

    @property
    def compared(self) -> sql.Identifier:
        """How each record stands to the version that is held of it."""
        return sql.Identifier("landing", f"load_{self.load_id}__compared")

    @property
    def superseded(self) -> sql.Identifier:
        """What is no candidate only because of what is held, where that may still be rolled back."""
        return sql.Identifier("landing", f"load_{self.load_id}__superseded")

    @property
    def change(self) -> sql.Identifier:
        """All readings of the keys that were read more than once, where the stream stores every change."""
        return sql.Identifier("landing", f"load_{self.load_id}__change")

    @property
    def conflict(self) -> sql.Identifier:
        """Different rows of one key with nothing to order them, where there are any."""
        return sql.Identifier("landing", f"load_{self.load_id}__conflict")

    @property
    def candidate(self) -> sql.Identifier:
        """One row a key, parsed: only what differs from the current version."""
        return sql.Identifier("landing", f"load_{self.load_id}__candidate")

    @property
    def erased(self) -> sql.Identifier:
        """Candidates of people who were erased, while the gate looks at the others."""
        return sql.Identifier("landing", f"load_{self.load_id}__erased")

    @property
    def typed_name(self) -> str:
        return f"load_{self.load_id}__typed"

    @property
    def typed(self) -> sql.Identifier:
        """The candidates that are not deletions, one typed column a field: what the gate looks at."""
        return sql.Identifier("landing", self.typed_name)

    @property
    def refused(self) -> sql.Identifier:
        """The keys that the gate refused, and why."""
        return sql.Identifier("landing", f"load_{self.load_id}__refused")

    @property
    def withheld(self) -> sql.Identifier:
        """The values that the gate withheld, and why; made only where there is any."""
        return sql.Identifier("landing", f"load_{self.load_id}__withheld")

    @property
    def all(self) -> tuple[sql.Identifier, ...]:
        before = (self.pages, self.listed, self.compared, self.superseded, self.change, self.conflict)
        return (*before, self.candidate, self.erased, self.typed, self.refused, self.withheld)
