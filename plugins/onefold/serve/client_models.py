"""Bulk checks, reports, watch lists and webhooks, as the OpenAPI description says them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from onefold.serve.models import Capital, CompanyOut, Given, Nip, Owners, Representation, VatEntry


class CheckIn(Given):
    """The companies to be checked, by tax number."""

    nips: Annotated[list[Nip], Field(min_length=1, max_length=1000)]


class CheckResult(BaseModel):
    """What was found of one number."""

    nip: str
    outcome: Literal["found", "not_found", "unavailable"]
    company: CompanyOut | None = None
    detail: str | None = None


class Check(BaseModel):
    """A bulk check."""

    check_id: UUID
    state: Literal["queued", "done"]
    numbers: int
    results: list[CheckResult] | None


class Report(BaseModel):
    """What is known of a counterparty."""

    made_at: datetime
    company: CompanyOut
    representation: Representation | None
    capital: Capital | None
    owners: Owners | None
    vat: VatEntry | None
    missing: list[str] = Field(description="parts that could not be had, and why")


class WatchIn(Given):
    """The company to be watched."""

    nip: Nip


class Watch(BaseModel):
    """A company that is watched."""

    watch_id: UUID
    company_id: UUID
    created_at: datetime


class Watches(BaseModel):
    """All that are watched."""

    items: list[Watch]


class Change(BaseModel):
    """What changed in a watched company: the names of attributes."""

    change_id: int
    company_id: UUID
    kind: Literal["changed", "ended"]
    attributes: list[str]
    at: datetime


class Changes(BaseModel):
    """Changes, the oldest first."""

    items: list[Change]
    next: int = Field(description="the value of `after` that goes on from here")


class WebhookIn(Given):
    """Where changes are to be posted."""

    url: Annotated[str, Field(pattern="^https://[!-~]{1,2000}$", description="where changes are posted")]


class Webhook(BaseModel):
    """Where changes are posted."""

    webhook_id: UUID
    url: str
    created_at: datetime
    secret: str | None = Field(
        None, description="of Standard Webhooks (whsec_…); shown when it is made, and then no more"
    )


class Webhooks(BaseModel):
    """All webhooks of the client."""

    items: list[Webhook]
