"""The world: its companies, their records in every system, the registers' change feeds, and the truth."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sandbox.world.book import Book, Shelf
from sandbox.world.change import ChangeKind, apply_advance
from sandbox.world.company import Company, make_company
from sandbox.world.journal import Advance, Journal
from sandbox.world.parts import Parts, PartShelf
from sandbox.world.records import SYSTEMS, Registrar, SourceRecord, System
from sandbox.world.withheld import told_apart
from sandbox.world.written import Written

WARSAW = ZoneInfo("Europe/Warsaw")


class World:
    """Companies and their records, and the books of everything else.

    With a journal, advances survive a restart; without one they do not.
    """

    def __init__(
        self, companies: int = 2000, seed: int = 7, journal: Path | None = None, books: Sequence[Book | Parts] = ()
    ) -> None:
        self.seed = seed
        self.home = journal.parent if journal else None  # where stand-ins keep what is on disk
        self.written = Written(self.home / "written.jsonl" if self.home else None)
        self.base_size = companies
        self.epoch = 0  # how often the world has begun: what was found in an earlier one is void
        self._journal = Journal(journal, seed, companies) if journal else None
        self.shelves: dict[str, Shelf | PartShelf] = {}
        for book in books:
            self.shelves[book.name] = book.opened(self.shelves, seed, companies)
        self._build()
        for advance in self._journal.read() if self._journal else []:
            apply_advance(self, advance)

    def _build(self) -> None:
        self.epoch += 1
        self.sequence = 0  # how many advances there have been
        self.companies: list[Company] = []
        self.by_nip: dict[str, Company] = {}
        self.by_regon: dict[str, Company] = {}
        self.by_krs: dict[str, Company] = {}
        self._records: dict[System, list[SourceRecord]] = {system: [] for system in SYSTEMS}
        self._by_key: dict[System, dict[str, SourceRecord]] = {system: {} for system in SYSTEMS}
        self._by_company: list[list[SourceRecord]] = []
        self._krs_feed: defaultdict[date, list[tuple[str, int]]] = defaultdict(list)
        self._regon_feed: defaultdict[tuple[ChangeKind, date], list[str]] = defaultdict(list)
        self._registrar = Registrar(self.seed)
        for shelf in self.shelves.values():
            shelf.rewind()
        for _ in range(self.base_size):
            company = self.add_company()
            self.note_in_registers(company, company.created, "new")
            if company.struck_off:
                self.note_in_registers(company, company.changed, "struck_off")
            else:
                self.note_in_registers(company, company.changed, "changed")

    def add_company(self, at: datetime | None = None) -> Company:
        """Adds the next company, with its records; `at` stamps it, None leaves it in the base period."""
        company = make_company(self.seed, len(self.companies))
        if at is not None:
            company.created = company.changed = at
            company.status, company.struck_off, company.revision = "active", None, 1
        self.companies.append(company)
        self.by_nip[company.nip] = company
        self.by_regon[company.regon] = company
        if company.krs:
            self.by_krs[company.krs] = company
        mine = list(self._registrar.records(company, born=self.sequence, at=at))
        self._by_company.append(mine)
        for record in (*mine, *(self._registrar.foreign_records(company.id) if at is None else ())):
            self._records[record.system].append(record)
            self._by_key[record.system][record.key] = record
        return company

    def note_in_registers(self, company: Company, at: datetime, kind: ChangeKind) -> None:
        """Puts the company on the registers' change lists of that (Warsaw) day."""
        local = at.astimezone(WARSAW)
        self._regon_feed[kind, local.date()].append(company.regon)
        if company.krs:
            self._krs_feed[local.date()].append((company.krs, local.hour))

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)

    def records(self, system: System) -> list[SourceRecord]:
        """All records of the system, in the order in which they came to be."""
        return self._records[system]

    def record(self, system: System, key: str) -> SourceRecord | None:
        return self._by_key[system].get(key)

    def records_of(self, company_id: int) -> list[SourceRecord]:
        """The company's records in all systems."""
        return self._by_company[company_id]

    def shelf(self, stream: str) -> Shelf | PartShelf:
        """The rows of "system.stream"."""
        return self.shelves[stream]

    def krs_changes(self, day: date) -> list[tuple[str, int]]:
        """(KRS number, hour in Warsaw) of that day's changes, as the register's bulletin lists them."""
        return sorted(set(self._krs_feed.get(day, ())), key=lambda change: (change[1], change[0]))

    def regon_changes(self, kind: ChangeKind, day: date) -> list[str]:
        """The 9-digit REGON numbers that are new, changed or struck off that day (Warsaw)."""
        return sorted(set(self._regon_feed.get((kind, day), ())))

    def advance(self, changes: int = 0, deletions: int = 0, new: int = 0) -> dict[str, object]:
        """Lets time pass: journals it, applies it, and returns what happened, counted by system.

        Raises ValueError when there are not enough companies left to change or delete.
        """
        advance = Advance(self.now(), changes, deletions, new)
        living = sum(1 for company in self.companies if not company.deleted)
        if changes + deletions > living // 2:
            raise ValueError(f"changes + deletions may be at most half of the {living} living companies: {living // 2}")
        if self._journal:
            self._journal.append(advance)
        return apply_advance(self, advance)

    def reset(self) -> None:
        """Back to the base world; the journal is cleared."""
        if self._journal:
            self._journal.clear()
        self.written.clear()
        if self.sequence:
            self._build()
        else:  # it is the base world, and a large one takes a while to build
            self.epoch += 1

    @property
    def rows(self) -> int:
        """How many records there are in all systems, of each key one."""
        return sum(map(len, self._records.values())) + sum(len(shelf.entries) for shelf in self.shelves.values())

    def truth(self, of: str | None = None) -> dict[str, object]:
        """Which record is which company, in all streams or in one ("system.stream").

        `deleted` says gone: flagged in Salesforce and SAP, struck off in KRS and REGON. A key of several values is a
        JSON array. `broken` and `withheld`: see withheld.py.
        """
        records = [
            {
                "system": record.system,
                "stream": record.stream,
                "key": record.key_text,
                "company_id": record.company_id,
                "broken": record.broken,
                "deleted": record.deleted,
            }
            for system in SYSTEMS
            for record in self._records[system]
            if of in (None, f"{record.system}.{record.stream}")
        ]
        records += [row for name, shelf in self.shelves.items() if of in (None, name) for row in shelf.truth()]
        return {"records": [told_apart(record) for record in records], "companies": len(self.companies)}
