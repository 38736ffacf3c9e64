"""What one advance does: companies change, are deleted or added, and every record that shows it gets a stamp."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, Protocol

from sandbox.world.book import Shelf
from sandbox.world.company import Company, draw_address, draw_name, draw_phone
from sandbox.world.journal import Advance
from sandbox.world.parts import PartShelf
from sandbox.world.records import STREAMS, SYSTEMS, SourceRecord
from sandbox.world.spelling import slug, split_legal_form

ChangeKind = Literal["new", "changed", "struck_off"]
ChangeOf = Literal["address", "contact", "status", "name", "credit"]
STRUCK_OFF_SHARE = 0.25  # of the deleted companies, also leave the registers


class Changeable(Protocol):
    """What an advance needs of the world."""

    seed: int
    sequence: int
    companies: list[Company]

    @property
    def shelves(self) -> Mapping[str, Shelf | PartShelf]: ...

    def add_company(self, at: datetime | None = None) -> Company: ...

    def note_in_registers(self, company: Company, at: datetime, kind: ChangeKind) -> None: ...

    def records_of(self, company_id: int) -> list[SourceRecord]: ...


def apply_advance(world: Changeable, advance: Advance) -> dict[str, object]:
    """Applies the advance: a pure function of the world before and of `advance`. Returns counts by stream.

    All rows of one advance carry the same second, so that pages end between equal stamps.
    """
    world.sequence += 1
    rng = random.Random(f"{world.seed}:advance:{world.sequence}")
    living = [company for company in world.companies if not company.deleted and _held(world, company)]
    chosen = rng.sample(living, min(len(living), advance.changes + advance.deletions))
    to_change, to_delete = chosen[: advance.changes], chosen[advance.changes :]
    summary: dict[str, object | dict[str, int]] = {"at": advance.at.isoformat(), "sequence": world.sequence}
    summary["changed"] = _counted((_change(world, company, rng, advance.at) for company in to_change), len(to_change))
    summary["deleted"] = _counted((_delete(world, company, rng, advance.at) for company in to_delete), len(to_delete))
    newcomers = [world.add_company(advance.at) for _ in range(advance.new)]
    for company in newcomers:
        world.note_in_registers(company, advance.at, "new")
    summary["new"] = _counted((world.records_of(company.id) for company in newcomers), advance.new)
    for name, shelf in world.shelves.items():
        counts = shelf.advance(world.sequence, advance.at, advance.changes, advance.deletions, advance.new)
        for happened, count in zip(("changed", "deleted", "new"), counts, strict=True):
            summary[happened][name] = count
    return summary


def _counted(touched: Iterable[list[SourceRecord]], companies: int) -> dict[str, int]:
    by_system = Counter(record.system for records in touched for record in records)
    return {"companies": companies, **{f"{system}.{STREAMS[system]}": by_system[system] for system in SYSTEMS}}


def _held(world: Changeable, company: Company) -> bool:
    """Whether a business system holds the company in a well-formed, living row."""
    business = [record for record in world.records_of(company.id) if record.system in ("salesforce", "sap")]
    return any(not record.deleted for record in business) and not any(record.broken for record in business)


def _later(previous: datetime, at: datetime) -> datetime:
    """A stamp in whole seconds, later than the record's previous one."""
    return max(at.replace(microsecond=0), previous.replace(microsecond=0) + timedelta(seconds=1))


def _stamp(world: Changeable, record: SourceRecord, at: datetime, *, deleted: bool) -> None:
    record.past.append((world.sequence, record.modified, record.deleted))
    if record.system in ("salesforce", "sap"):
        record.modified = _later(record.modified, at)
    else:
        record.modified = at
    record.deleted = deleted


def _change(world: Changeable, company: Company, rng: random.Random, at: datetime) -> list[SourceRecord]:
    records = [record for record in world.records_of(company.id) if not record.deleted]
    before = [_shown(record) for record in records]
    what = rng.choices(("address", "contact", "status", "name", "credit"), (30, 30, 10, 10, 20))[0]
    _alter(company, what, rng)
    in_registers = what != "credit"
    if in_registers:
        company.changed = max(at, company.changed + timedelta(microseconds=1))
        company.revision += 1
        world.note_in_registers(company, company.changed, "changed")
    touched = []
    for record, old in zip(records, before, strict=True):
        register = record.system in ("krs", "regon")
        if in_registers if register else _shown(record) != old:
            _stamp(world, record, company.changed if register else at, deleted=False)
            touched.append(record)
    return touched


def _shown(record: SourceRecord) -> object:
    """What the row shows of its company."""
    return record.partner if record.system == "sap" else record.fields


def _alter(company: Company, what: ChangeOf, rng: random.Random) -> None:
    match what:
        case "address":
            company.former_street, company.former_house_no = company.street, company.house_no
            company.former_flat_no, company.former_city = company.flat_no, company.city
            company.former_postal_code = company.postal_code
            new = draw_address(rng)
            company.street, company.house_no, company.flat_no = new.street, new.house_no, new.flat_no
            company.postal_code, company.city, company.voivodeship = (
                new.postal_code,
                new.city,
                new.voivodeship,
            )
        case "contact":
            stem = slug(split_legal_form(company.name)[0])
            company.email = f"kontakt{rng.randrange(1000)}@{stem}.example.pl"
            company.phone = draw_phone(rng, "22")
        case "status":
            company.status = "active" if company.status != "active" else "suspended"
        case "name":
            company.name = draw_name(rng, company.form)
        case "credit":
            company.credit_limit += Decimal(rng.randrange(1, 100) * 1000)


def _delete(world: Changeable, company: Company, rng: random.Random, at: datetime) -> list[SourceRecord]:
    company.deleted = True
    struck_off = rng.random() < STRUCK_OFF_SHARE
    if struck_off:
        company.status, company.revision = "liquidated", company.revision + 1
        company.changed = max(at, company.changed + timedelta(microseconds=1))
        company.struck_off = company.struck_off or company.changed.date()
        world.note_in_registers(company, company.changed, "struck_off")
    touched = []
    for record in world.records_of(company.id):
        register = record.system in ("krs", "regon")
        if not record.deleted and (struck_off or not register):
            _stamp(world, record, company.changed if register else at, deleted=True)
            touched.append(record)
    return touched
