"""What the endpoints share, and how they get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from onefold.catalog.reader import Catalog
from onefold.serve.attributes import EntityRules
from onefold.serve.bulk import Checks
from onefold.serve.clients import Client, Scope, require
from onefold.serve.companies import Companies
from onefold.serve.database import Database
from onefold.serve.facts import Facts
from onefold.serve.gate import About
from onefold.serve.json_text import encode
from onefold.serve.models import ProblemDetails
from onefold.serve.registers import Registers
from onefold.serve.signing import Signing


@dataclass(frozen=True)
class Services:
    """Of one process."""

    catalog: Catalog
    database: Database
    registers: Registers
    companies: Companies
    facts: Facts
    rules: EntityRules
    checks: Checks
    signing: Signing | None


@dataclass(frozen=True, slots=True)
class Asking:
    """A request: who asks, what is asked with, and what is said of the answer."""

    services: Services
    client: Client
    about: About

    def answer(self, content: Any, status: int = 200) -> Response:
        """The content as JSON, digit for digit."""
        return Response(encode(content), status, media_type="application/json")

    def shows_people(self) -> None:
        """Say that personal data is shown: the audit chain has it before the answer leaves."""
        self.about.people = True


def asking(scope: Scope) -> Any:
    """A dependency: the request of a client that has the scope. Raises Problem 403."""

    async def found(request: Request) -> Asking:  # a plain function would be sent to a thread
        client: Client = request.state.client
        require(client, scope)
        return Asking(request.app.state.services, client, request.state.about)

    return Depends(found)


ForCompanies = Annotated[Asking, asking("companies")]
ForPeople = Annotated[Asking, asking("people")]
ForWatch = Annotated[Asking, asking("watch")]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an endpoint may answer with, beside those that every one may."""
    return {
        status: {"model": ProblemDetails, "content": {"application/problem+json": {}}}
        for status in sorted({400, 401, 403, 413, 429, 500, 503, *statuses})
    }
