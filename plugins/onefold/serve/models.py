"""What the API takes and gives, as its OpenAPI description says it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model

from onefold.catalog.entity import Entity

Nip = Annotated[str, Field(pattern="^[0-9]{10}$", description="tax number (NIP), ten digits", examples=["5272889007"])]
Krs = Annotated[str, Field(pattern="^[0-9]{10}$", description="number in the court register (KRS), ten digits")]
Regon = Annotated[str, Field(pattern="^([0-9]{9}|[0-9]{14})$", description="statistical number (REGON)")]
EuVat = Annotated[
    str, Field(pattern="^[A-Z]{2}[0-9A-Z+*.]{2,12}$", description="VAT number in the European Union, with its prefix")
]
Account = Annotated[str, Field(pattern="^[0-9]{26}$", description="bank account (NRB), 26 digits")]
_TYPES: dict[str, Any] = {
    "text": str, "integer": int, "numeric": float, "boolean": bool, "date": date, "timestamptz": datetime,
}  # fmt: skip


class Given(BaseModel):
    """What is sent: fields that nobody reads are refused."""

    model_config = ConfigDict(extra="forbid")


class ProblemDetails(BaseModel):
    """RFC 9457: what is wrong, and what to do."""

    type: str
    title: str
    status: int
    detail: str


class SourceOut(BaseModel):
    """What one register has said of a company."""

    register_name: str = Field(alias="register", description="krs, regon, vies or white_list")
    outcome: str = Field(description="found, not_found or deleted")
    as_of: datetime = Field(description="when the register said so")
    stale: bool = Field(description="whether that is more than 24 hours ago")
    proof: str | None = Field(description="the register's own number of the request")


class Provenance(BaseModel):
    """When the register said so."""

    as_of: datetime = Field(description="when the register that knows most of it said so")
    stale: bool = Field(description="whether that is more than 24 hours ago: the register could not be asked")


def company_attributes(entity: Entity) -> type[BaseModel]:
    """The attributes of a company, by the mapping catalogue."""
    fields: dict[str, Any] = {
        name: (_TYPES[attribute.type] | None, Field(None, description=attribute.meaning))
        for name, attribute in entity.attributes.items()
    }
    return create_model("CompanyAttributes", __doc__="What the registers say of a company.", **fields)


class CompanyOut(Provenance):
    """A company."""

    company_id: UUID | None = Field(description="null: it is not among the published companies, a register told of it")
    natural_person: bool = Field(description="a sole trader, or one who has to be taken for one")
    hidden: list[str] = Field(description="attributes that need the scope people, and are null")
    company: dict[str, Any]
    sources: list[SourceOut]


class Found(BaseModel):
    """A company that was found."""

    company_id: UUID
    legal_name: str | None
    tax_id_pl: str | None
    regon: str | None
    krs: str | None
    town: str | None
    main_activity: str | None
    status: str | None


class FoundPage(BaseModel):
    """One page of what was found."""

    items: list[Found]
    next: str | None = Field(description="the cursor of the next page; null: this is the last one")


class Extract(Provenance):
    """The current extract of the court register."""

    krs: str
    people_hidden: bool = Field(description="whether what is about people was left out")
    extract: dict[str, Any] = Field(description="in the register's own words and structure")


class ChangeOfEntry(BaseModel):
    """What an entry brought, or took away."""

    path: str
    removed: bool
    value: Any = Field(description="null without the scope people, where it may be about a person")


class EntryOut(BaseModel):
    """One entry of the court register."""

    entry: int
    date: date | None
    text: str
    changes: list[ChangeOfEntry]


class History(Provenance):
    """What the entries of the court register changed."""

    krs: str
    people_hidden: bool
    entries: list[EntryOut]


class Body(BaseModel):
    """An organ that represents a company."""

    organ: str | None
    rule: str | None = Field(description="how it represents, in the register's words")
    members: list[Any] = Field(description="masked by the register; empty without the scope people")


class Representation(Provenance):
    """Who represents a company, and how."""

    krs: str
    people_hidden: bool
    bodies: list[Body]
    proxies: list[Any]


class Capital(Provenance):
    """The share capital of a company."""

    krs: str
    capital: dict[str, Any]
    issues: list[Any]


class Owner(BaseModel):
    """A beneficial owner; who it is, with the scope people only."""

    model_config = ConfigDict(extra="allow")
    ownership_reasons: str | None = Field(
        None, description="direct_rights, indirect_rights, senior_manager, other_rights"
    )


class Owners(Provenance):
    """The beneficial owners of a company."""

    krs: str
    outcome: Literal["found", "not_found"] = Field(description="not_found: the register has no notification")
    people_hidden: bool
    owners: list[Owner]


class SharedOwner(BaseModel):
    """A person who owns other companies too."""

    name: str
    companies: list[str] = Field(description="numbers in the court register")


class Relations(Provenance):
    """Who owns and represents a company, and what else its owners own."""

    krs: str
    owners: list[Owner]
    shareholders: list[Any]
    representatives: list[Body]
    shared_owners: list[SharedOwner]


class VatEntry(BaseModel):
    """The entry in the list of VAT payers on a day."""

    nip: str
    day: date
    outcome: Literal["found", "not_found"]
    status: str | None = Field(description="active, exempt or not_registered")
    accounts: list[str] | None = Field(description="null without the scope people")
    request_id: str | None = Field(description="the register's number of the request: the proof")
    asked_at: datetime
    stale: bool


class AccountCheckIn(Given):
    """The account to be checked."""

    account: Account
    day: date | None = Field(None, description="default: today in Warsaw")


class AccountCheck(BaseModel):
    """Whether the account was the taxpayer's."""

    nip: str
    day: date
    assigned: bool
    request_id: str | None
    asked_at: datetime


class ViesAnswer(Provenance):
    """What VIES says of a number."""

    number: str
    valid: bool | None
    name: str | None
    address: str | None
    request_id: str | None


class Activity(BaseModel):
    """An activity (PKD)."""

    code: str
    name: str | None
    main: bool


class RegonEntity(BaseModel):
    """An entity, its report and activities, in the register's own words."""

    entity: dict[str, Any]
    report: dict[str, Any]
    activities: list[Activity]


class RegonReport(Provenance):
    """What the register of Statistics Poland says."""

    nip: str
    people_hidden: bool
    entities: list[RegonEntity]


class Freshness(BaseModel):
    """How fresh a source is."""

    source: str
    last_load: datetime | None
    last_answer: datetime | None
    stale: bool


class Sources(BaseModel):
    """All sources."""

    items: list[Freshness]


class UsageOut(BaseModel):
    """What the client has used."""

    client: str
    month: date
    requests: int
    monthly_quota: int
    per_second: int


class Health(BaseModel):
    """Whether the API works."""

    status: Literal["ok", "down"]
    companies_as_of_publish: int | None
