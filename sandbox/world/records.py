"""One company's records in the four systems: who holds it, how often, since when, which rows are broken."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sandbox.world import identifiers
from sandbox.world.accounts import BROKEN as BROKEN_ACCOUNTS
from sandbox.world.accounts import ODD as ODD_ACCOUNTS
from sandbox.world.accounts import account_fields
from sandbox.world.company import BASE_END, BASE_START, Company
from sandbox.world.foreign import firms_beside, foreign
from sandbox.world.partners import BROKEN as BROKEN_PARTNERS
from sandbox.world.partners import Partner, partner_view
from sandbox.world.share import choice, share

System = Literal["salesforce", "sap", "krs", "regon"]
SYSTEMS: tuple[System, ...] = ("salesforce", "sap", "krs", "regon")
STREAMS: dict[System, str] = {
    "salesforce": "account",
    "sap": "business_partner",
    "krs": "extract",
    "regon": "entity",
}
BROKEN: dict[System, tuple[str, ...]] = {
    "salesforce": BROKEN_ACCOUNTS,
    "sap": BROKEN_PARTNERS,
    "krs": ("name_missing", "nip_malformed", "date_impossible"),
    "regon": ("name_missing", "regon_checksum", "postal_code_malformed"),
}
SALESFORCE_SHARE, SALESFORCE_DUPLICATES = 0.75, 0.03
SAP_SHARE, SAP_DUPLICATES = 0.65, 0.02
DELETED_SHARE = 0.01
FORMER_SHARE = 0.05  # of sole traders, who had another business before
BANKRUPT_SHARE, BRANCH_SHARE = 0.015, 0.01  # of active companies in the court register; of all
TIED_SHARE = 0.05  # rows stamped by one of a few mass updates


@dataclass(slots=True)
class SourceRecord:
    """One row of one system. `modified` has whole seconds in Salesforce and SAP, as their stamps do.

    `broken` is a short code of what is wrong with the row on purpose, None for a well-formed one. `born` is
    the number of the advance that made it (0 for the base world) and `past` what it was before later
    advances: (number of the advance that ended it, modified, deleted), oldest first.
    """

    system: System
    key: str
    company: Company
    variant: int
    seed: int
    created: datetime
    modified: datetime
    deleted: bool
    broken: str | None
    born: int = 0
    past: list[tuple[int, datetime, bool]] = field(default_factory=list)

    @property
    def company_id(self) -> int:
        return self.company.id

    @property
    def stream(self) -> str:
        return STREAMS[self.system]

    @property
    def key_text(self) -> str:
        """The key as a load writes it: several values are a JSON array."""
        return json.dumps(self.key.split("|"), separators=(",", ":")) if "|" in self.key else self.key

    @property
    def style(self) -> str:
        return f"{self.seed}:{self.system}:{self.company.id}:{self.variant}"

    @property
    def fields(self) -> dict[str, str | float | bool | None]:
        """The company as this system spells it, save the system's own columns (key, stamps, deletion flag).

        Salesforce: Account's fields. SAP: the flat fields of `Partner` (its tax numbers are in `partner`).
        KRS and REGON: the register's view under neutral names, broken as `broken` says.
        """
        match self.system:
            case "salesforce":
                return account_fields(self.company, self.style, self.variant, self.broken)
            case "sap":
                view = self.partner
                return {name: getattr(view, name) for name in Partner.__slots__ if name != "taxes"}
            case "krs" | "regon":
                return _register_fields(self)

    @property
    def partner(self) -> Partner:
        """SAP's view of the company, tax numbers included."""
        return partner_view(self.company, self.style, self.variant, self.broken)

    def state_at(self, sequence: int) -> tuple[datetime, bool] | None:
        """(modified, deleted) as they were after advance number `sequence`; None before it existed."""
        if sequence < self.born:
            return None
        for ended_by, modified, deleted in self.past:
            if sequence < ended_by:
                return modified, deleted
        return self.modified, self.deleted


def registered_name(company: Company) -> str:
    """The name in the registers, which says of a company that it is being wound up, is bankrupt or is a branch."""
    if company.krs is None:
        return company.name
    if company.status == "liquidated":
        return f"{company.name} w likwidacji"
    if company.status == "active" and share("krs proceedings", company.krs) < BANKRUPT_SHARE:
        return f"{company.name} w upadłości"
    return f"{company.name} Oddział w Polsce" if share("branch", company.krs) < BRANCH_SHARE else company.name


def _register_fields(record: SourceRecord) -> dict[str, str | float | bool | None]:
    company = record.company
    fields: dict[str, str | float | bool | None] = {
        "name": registered_name(company),
        "nip": company.nip,
        "regon": record.key.split("|")[0] if record.system == "regon" else company.regon,
        "krs": company.krs,
        "postal_code": company.postal_code,
        "registered": f"{company.created:%d.%m.%Y}",
    }
    if record.system == "regon" and record.variant:
        fields["name"] = f"Handel Obwoźny {' '.join(company.name.split()[-2:])}"
    match record.broken:
        case "name_missing":
            fields["name"] = ""
        case "nip_malformed":
            fields["nip"] = company.nip[:7]
        case "date_impossible":
            fields["registered"] = "31.02.2020"
        case "postal_code_malformed":
            fields["postal_code"] = "ABCDE"
    return fields


def customer_of(seed: int, company: int) -> tuple[bool, bool]:
    """Whether Salesforce and SAP hold the company."""
    return _chosen(random.Random(f"{seed}:records:{company}"))


def _chosen(rng: random.Random) -> tuple[bool, bool]:
    return rng.random() < SALESFORCE_SHARE, rng.random() < SAP_SHARE


class Registrar:
    """Makes the records of one company after another; keeps count so that about 1 % of each system is broken.

    The kinds of damage take turns. Company numbers must come in ascending order: the outcome depends on it.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._due = dict.fromkeys(SYSTEMS, 60)
        self._turn = dict.fromkeys(SYSTEMS, 0)
        spread = random.Random(f"{seed}:mass updates")
        self._mass_updates = [self._draw_stamp(spread) for _ in range(3)]

    def records(self, company: Company, born: int = 0, at: datetime | None = None) -> Iterator[SourceRecord]:
        """The company's records in all systems; stamped `at`, or within the base period when that is None."""
        rng = random.Random(f"{self._seed}:records:{company.id}")
        in_salesforce, in_sap = _chosen(rng)
        accounts = (1 + (rng.random() < SALESFORCE_DUPLICATES)) * in_salesforce
        partners = (1 + (rng.random() < SAP_DUPLICATES)) * in_sap
        asked_for: dict[System, bool] = {"krs": False, "regon": False}
        for system, count in (("salesforce", accounts), ("sap", partners)):
            for variant in range(count):
                record = self._row(system, company, variant, rng, born, at)
                self._learn(record, asked_for)
                if system == "salesforce" and not (record.broken or record.deleted):
                    record.broken = choice("account", record.key, ODD_ACCOUNTS)
                yield record
        if company.krs:
            yield self._register_row("krs", company.krs, company, asked_for["krs"], born)
        yield self._register_row("regon", f"{company.regon}|{company.silos}", company, asked_for["regon"], born)
        if company.form == "jdg" and at is None and share("regon former business", company.regon) < FORMER_SHARE:
            yield self._former_business(company)

    def foreign_records(self, company_id: int) -> Iterator[SourceRecord]:
        """The records of the foreign firms beside a company of the base world: most are in the CRM, many in SAP."""
        for number in firms_beside(self._seed, company_id):
            for system, held in (("salesforce", 0.8), ("sap", 0.7)):
                if share(f"foreign firm in {system}", number) < held:
                    yield self._foreign_row(system, foreign(number))

    def _foreign_row(self, system: Literal["salesforce", "sap"], company: Company) -> SourceRecord:
        modified = self._draw_stamp(random.Random(f"{self._seed}:foreign:{company.id}"))
        number = company.id * 2
        return SourceRecord(
            system=system,
            key=identifiers.salesforce_id(number) if system == "salesforce" else f"{number:010d}",
            company=company,
            variant=0,
            seed=self._seed,
            created=modified,
            modified=modified,
            deleted=False,
            broken=None,
        )

    def _row(
        self,
        system: Literal["salesforce", "sap"],
        company: Company,
        variant: int,
        rng: random.Random,
        born: int,
        at: datetime | None,
    ) -> SourceRecord:
        number = company.id * 2 + variant
        tied = rng.random() < TIED_SHARE
        modified = rng.choice(self._mass_updates) if tied else self._draw_stamp(rng)
        created = (BASE_START + (modified - BASE_START) * rng.random()).replace(microsecond=0)
        deleted = rng.random() < DELETED_SHARE and at is None
        if at is not None:
            created = modified = at.replace(microsecond=0)
        return SourceRecord(
            system=system,
            key=identifiers.salesforce_id(number) if system == "salesforce" else identifiers.sap_number(number),
            company=company,
            variant=variant,
            seed=self._seed,
            created=created,
            modified=modified,
            deleted=deleted,
            broken=self._damage(system, eligible=not deleted),
            born=born,
        )

    def _register_row(
        self, system: Literal["krs", "regon"], key: str, company: Company, asked_for: bool, born: int
    ) -> SourceRecord:
        broken = self._damage(system, eligible=asked_for and company.struck_off is None)
        if broken == "regon_checksum":  # the register answers with this number, so this is the row's key
            key = f"{identifiers.spoil_check_digit(company.regon)}|{company.silos}"
        return SourceRecord(
            system=system,
            key=key,
            company=company,
            variant=0,
            seed=self._seed,
            created=company.created,
            modified=company.changed,
            deleted=company.struck_off is not None,
            broken=broken,
            born=born,
        )

    def _former_business(self, company: Company) -> SourceRecord:
        """The entry of the same person's earlier business, under the same NIP: it has ended, and its key is smaller."""
        return SourceRecord(
            system="regon",
            key=f"{identifiers.former_regon(company.id)}|{company.silos}",
            company=company,
            variant=1,
            seed=self._seed,
            created=company.created,
            modified=company.changed,
            deleted=True,
            broken=None,
        )

    def _learn(self, record: SourceRecord, asked_for: dict[System, bool]) -> None:
        """Notes which registers will be asked because of this record."""
        if record.broken or record.deleted or all(asked_for.values()):
            return
        if record.system == "salesforce":
            fields = record.fields
            asked_for["krs"] |= bool(fields["KRS__c"])
            asked_for["regon"] |= bool(fields.get("NIP__c") or fields["REGON__c"])
        else:
            asked_for["regon"] |= bool(record.partner.taxes)

    def _damage(self, system: System, *, eligible: bool) -> str | None:
        self._due[system] += 1
        if not eligible or self._due[system] < 100:
            return None
        self._due[system] -= 100
        kinds = BROKEN[system]
        self._turn[system] += 1
        return kinds[(self._turn[system] - 1) % len(kinds)]

    @staticmethod
    def _draw_stamp(rng: random.Random) -> datetime:
        return (BASE_START + (BASE_END - BASE_START) * rng.random()).replace(microsecond=0)
