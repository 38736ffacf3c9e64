"""The counterparty report as a PDF, for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from onefold.subject_report.pages import Pages

TITLE = "Counterparty report"


def as_pdf(report: Mapping[str, Any]) -> bytes:
    """The report as A4 pages; each part says when its register said so."""
    made: datetime = report["made_at"]
    company = report["company"]
    name = company["company"].get("legal_name") or "name not shown"
    page = Pages(TITLE, f"{name}, {_moment(made)}", made, str(company["company_id"] or ""), ())
    page.heading(f"{TITLE}: {name}", size=18)
    page.facts(
        {"Made": _moment(made), "As of": _moment(company["as_of"]), "Older than 24 hours": _yes(company["stale"])}
    )
    page.heading("Company")
    page.facts({_words(key): _text(value) for key, value in company["company"].items() if value is not None})
    if company["hidden"]:
        page.lines([f"Not shown to this client: {', '.join(map(_words, company['hidden']))}."])
    page.heading("Registers")
    page.rows(
        ("Register", "As of", "Number of the request"),
        [(each["register"], _moment(each["as_of"]), each["proof"] or "-") for each in company["sources"]],
    )
    for part in ("representation", "capital", "owners", "vat"):
        if report[part] is not None:
            page.heading(_words(part))
            page.facts({_words(key): _text(value) for key, value in _flat(report[part]).items()})
    if report["missing"]:
        page.heading("What could not be had")
        page.lines(report["missing"])
    return bytes(page.output())


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Every value with where it stands."""
    if isinstance(value, Mapping):
        parts = value.items()
    elif isinstance(value, list) and any(isinstance(each, Mapping | list) for each in value):
        parts = {str(place): each for place, each in enumerate(value, start=1)}.items()
    else:
        return {path: value}
    return {name: each for key, part in parts for name, each in _flat(part, f"{path} {key}".strip()).items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _yes(value)
    if isinstance(value, datetime):
        return _moment(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else "-" if value is None else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
