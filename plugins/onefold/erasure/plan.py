"""What an erasure would do: how many rows and which fields of which table, by the records' keys, without any value."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NotRequired, TypedDict

from onefold.catalog.reader import Catalog
from onefold.catalog.stream import KeptByLaw
from onefold.privacy.kept import kept_records
from onefold.privacy.places import Place
from onefold.privacy.subject import Subject


class TableJson(TypedDict):
    """A table of a plan as JSON."""

    own_rows: int
    other_rows: int
    fields: dict[str, int]
    kept: dict[str, int]


class PlanJson(TypedDict):
    """A plan as JSON, in ops.erasure."""

    records: list[str]
    golden: list[str]
    identifiers: dict[str, int]
    shared: dict[str, int]
    laws: list[str]
    logs: NotRequired[dict[str, int]]
    elsewhere: NotRequired[list[str]]
    tables: dict[str, TableJson]


@dataclass(slots=True)
class TablePlan:
    """One table: rows of the person's own records, rows of others that name the person, and fields with their rows."""

    own_rows: int = 0
    other_rows: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What would be erased. `records` are the person's own, as system.stream and key; `golden` as entity/id."""

    records: tuple[str, ...]
    golden: tuple[str, ...]
    identifiers: Mapping[str, int]
    shared: Mapping[str, int]
    tables: Mapping[str, TablePlan]
    laws: tuple[str, ...]
    logs: Mapping[str, int] = field(default_factory=dict)
    """Lines of log files, by file, in which the person stands: none, unless something has gone wrong."""
    elsewhere: tuple[str, ...] = ()
    """In words, which other systems have got the person from us, and who deletes them there."""

    @property
    def rows(self) -> int:
        return sum(table.own_rows + table.other_rows for table in self.tables.values())

    @property
    def text(self) -> str:
        """The plan in words, a line each."""
        return "\n".join(self._lines())

    def shown(self, head: str) -> str:
        """The plan in Markdown, for the person who approves it, below its first line (plan_head())."""
        return "\n".join([head, "", *(f"- {line}" for line in self._lines())])

    @property
    def hash(self) -> str:
        """SHA-256 of the plan as JSON: what an approval is an approval of."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    def as_json(self) -> PlanJson:
        """For the ledger, for scripts, and for Airflow's XCom."""
        return {
            "records": list(self.records),
            "golden": list(self.golden),
            "identifiers": dict(self.identifiers),
            "shared": dict(self.shared),
            "laws": list(self.laws),
            "logs": dict(sorted(self.logs.items())),
            "elsewhere": list(self.elsewhere),
            "tables": {
                name: {
                    "own_rows": table.own_rows,
                    "other_rows": table.other_rows,
                    "fields": dict(sorted(table.fields.items())),
                    "kept": dict(sorted(table.kept.items())),
                }
                for name, table in sorted(self.tables.items())
            },
        }

    @classmethod
    def from_json(cls, content: PlanJson) -> ErasurePlan:
        """A plan as as_json() wrote it."""
        tables = {
            name: TablePlan(table["own_rows"], table["other_rows"], Counter(table["fields"]), Counter(table["kept"]))
            for name, table in content["tables"].items()
        }
        return cls(
            tuple(content["records"]),
            tuple(content["golden"]),
            content["identifiers"],
            content["shared"],
            tables,
            tuple(content["laws"]),
            content.get("logs", {}),
            tuple(content.get("elsewhere", ())),
        )

    def after(self, earlier: ErasurePlan | None) -> ErasurePlan:
        """What this erased together with what an earlier attempt erased, which knew the person better: it could still
        find what it then erased."""
        if earlier is None:
            return self
        tables = {name: TablePlan() for name in (*earlier.tables, *self.tables)}
        for plan in (earlier, self):
            for name, table in plan.tables.items():
                tables[name].own_rows += table.own_rows
                tables[name].other_rows += table.other_rows
                tables[name].fields.update(table.fields)
                tables[name].kept = tables[name].kept | table.kept  # what is kept is found each time
        return replace(
            earlier,
            records=tuple(sorted({*earlier.records, *self.records})),
            golden=tuple(sorted({*earlier.golden, *self.golden})),
            tables=tables,
            laws=tuple(dict.fromkeys((*earlier.laws, *self.laws))),
            logs={**earlier.logs, **self.logs},
            elsewhere=tuple(dict.fromkeys((*earlier.elsewhere, *self.elsewhere))),
        )

    def _lines(self) -> Iterable[str]:
        if not self.tables:
            yield "Nothing of this person is in the warehouse. Approved, it still keeps the person out from then on."
        yield f"Known by: {_counted(self.identifiers)}. Golden records: {', '.join(self.golden) or 'none'}."
        yield f"The person's own records: {', '.join(self.records) or 'none'}."
        if self.shared:
            yield f"Others have these too, so they stay where they are others': {_counted(self.shared)}."
        for name, table in sorted(self.tables.items()):
            rows = f"{table.own_rows} own rows, {table.other_rows} rows of others"
            yield f"{name}: {rows}; erased: {_counted(table.fields)}."
            if table.kept:
                yield f"{name}: kept by law: {_counted(table.kept)}."
        yield from self.laws
        yield from self.elsewhere
        yield (
            f"Lines of logs on this machine that name the person, which are overwritten: {_counted(self.logs)}. "
            "Airflow's database is not searched: it knows the number of the case, and no person."
        )


def plan_head(erasure_id: int, case: str, basis: str, who: str) -> str:
    """Which erasure it is, of whose case, why, and who asks for it: the first line of the plan that is shown."""
    return f"**Erasure {erasure_id}** of one person (case {case}). Why: {' '.join(basis.split())} (asked for by {who})"


def make_plan(catalog: Catalog, subject: Subject, places: Iterable[Place]) -> ErasurePlan:
    """The plan of erasing the subject at these places."""
    tables: dict[str, TablePlan] = {}
    every = list(places)
    for place in every:
        table = tables.setdefault(place.table.full_name, TablePlan())
        table.own_rows += place.own
        table.other_rows += not place.own
        table.fields.update(place.fields)
        table.kept.update(place.kept)
    return ErasurePlan(
        tuple(f"{system}.{stream} {key}" for system, stream, key in sorted(subject.records)),
        tuple(f"{entity}/{golden_id}" for entity, golden_id in sorted(subject.golden)),
        dict(sorted(Counter(value.kind for value in subject.values).items())),
        dict(sorted(subject.shared.items())),
        tables,
        (*_laws(catalog, tables), *_periods(every)) if any(table.kept for table in tables.values()) else (),
    )


def _laws(catalog: Catalog, tables: Mapping[str, TablePlan]) -> Iterable[str]:
    """Which law keeps what, of the streams of which something is kept."""
    for system in catalog.systems.values():
        for name, stream in system.streams.items():
            law: KeptByLaw | None = stream.kept_by_law
            if law and any(
                table.kept and each.startswith(f"staging.{system.system}__{name}") for each, table in tables.items()
            ):
                yield (
                    f"{system.system}.{name} keeps {', '.join(law.fields)} for {law.years} years after the end of the "
                    f"year of {law.since}: {law.basis}."
                )


def _periods(places: Iterable[Place]) -> Iterable[str]:
    """Until when what is kept is kept, of each record."""
    for (system, stream, key), until in sorted(kept_records(places).items(), key=lambda each: each[0]):
        last = f"until {until}; retention erases it after that day" if until else "and has no date: decide about it"
        yield f"Kept by law: something of the person in {system}.{stream} {key}, {last}."


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items())) or "nothing"
