"""The counterparty report: what is known of a company for a check of who it is (KYC), from every register."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from onefold.serve.askers import today_in_warsaw
from onefold.serve.company_routes import shown
from onefold.serve.problem import Problem
from onefold.serve.register_routes import capital_of, owners_of, representation_of, vat_of
from onefold.serve.services import Asking


async def report_of(asking: Asking, nip: str) -> dict[str, Any]:
    """Report. A part that cannot be had is missing by name, never silently. Raises Problem as a look-up does."""
    company = await asking.services.companies.find("nip", nip, asking.client)
    krs = company.number("krs")
    missing: list[str] = []
    report: dict[str, Any] = {"made_at": datetime.now(UTC), "company": shown(asking, company), "missing": missing}
    for name, of_krs in (("representation", representation_of), ("capital", capital_of), ("owners", owners_of)):
        report[name] = None
        if krs is None:
            missing.append(f"{name}: the company is not in the court register")
            continue
        try:
            report[name] = await of_krs(asking, krs)
        except Problem as problem:
            missing.append(f"{name}: {problem.detail}")
    report["vat"] = None
    try:
        report["vat"] = await vat_of(asking, nip, today_in_warsaw())
    except Problem as problem:
        missing.append(f"vat: {problem.detail}")
    return report
