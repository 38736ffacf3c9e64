"""Endpoints: bulk checks and the counterparty report."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header
from starlette.responses import Response

from onefold.serve.client_models import Check, CheckIn, Report
from onefold.serve.database import Row
from onefold.serve.models import Nip
from onefold.serve.report import report_of
from onefold.serve.services import Asking, ForCompanies, problems
from onefold.serve.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["Checks"])
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        pattern="^[A-Za-z0-9._-]+$",
        description="a name of your own for this check: sent again, it is the same check",
    ),
]


@router.post(
    "/checks", name="make_check", response_model=Check, responses=problems(409) | {202: {"model": Check}},
)  # fmt: skip
async def make_check(check: CheckIn, key: IdempotencyKey, asking: ForCompanies) -> Response:
    """Check up to 1,000 companies by tax number. Up to 50 are answered at once (200); more are queued (202): ask for
    the check again until its state is done. It counts as one request."""
    row = await asking.services.checks.make(asking.client, key, check.nips)
    response = _answer(asking, row, 200 if row["state"] == "done" else 202)
    response.headers["Location"] = f"/v1/checks/{row['check_id']}"
    return response


@router.get("/checks/{check_id}", name="check", response_model=Check, responses=problems(404))
async def find_check(check_id: UUID, asking: ForCompanies) -> Response:
    """A bulk check of this client, with its results once it is done."""
    return _answer(asking, await asking.services.checks.find(asking.client, check_id))


@router.get("/companies/nip/{nip}/report", name="report", response_model=Report, responses=problems(404))
async def report(nip: Nip, asking: ForCompanies) -> Response:
    """The counterparty report (KYC): what every register says of the company."""
    return asking.answer(await report_of(asking, nip))


@router.get(
    "/companies/nip/{nip}/report.pdf",
    name="report_pdf",
    response_class=Response,
    responses=problems(404)
    | {200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def report_pdf(nip: Nip, asking: ForCompanies) -> Response:
    """The counterparty report as a PDF."""
    import asyncio

    from onefold.serve.report_pdf import as_pdf

    made = await report_of(asking, nip)
    content = await asyncio.to_thread(as_pdf, made)
    return Response(
        content, media_type="application/pdf", headers={"Content-Disposition": 'inline; filename="report.pdf"'}
    )


def _answer(asking: Asking, row: Row, status: int = 200) -> Response:
    if row["people"] and row["results"]:
        asking.shows_people()
    told = {
        "check_id": row["check_id"],
        "state": row["state"],
        "numbers": len(row["numbers"]),
        "results": row["results"],
    }
    return asking.answer(told, status)
