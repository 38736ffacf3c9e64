"""onefold cost: what each integration has cost in a month."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from onefold.errors import Fatal

if TYPE_CHECKING:
    from onefold.insight.costs import Bill


@click.command(epilog="Example: onefold cost salesforce --month 2026-11 --json")
@click.argument("system", required=False)
@click.option("--month", "month_text", metavar="YYYY-MM", help="Default: the present month, as far as it has come.")
@click.option("--apply", "apply_now", is_flag=True, help="Apply catalog/prices.yaml first, as is done every day.")
@click.option("--json", "as_json", is_flag=True, help="For scripts. Amounts are text, so that they stay exact.")
def cost(system: str | None, month_text: str | None, apply_now: bool, as_json: bool) -> None:
    """Show what SYSTEM (default: each) has cost in a month, by stream and kind, and which part of its budget that is.

    Prices are those of catalog/prices.yaml; quantities are what the ledger has. What has no price, and what could not
    be measured, is named.
    """
    from onefold.audit import actor
    from onefold.catalog.mistakes import did_you_mean
    from onefold.catalog.prices import read_prices
    from onefold.catalog.reader import read_systems
    from onefold.cost.daily import company_day
    from onefold.cost.price_list import apply_prices, is_applied
    from onefold.insight.costs import bill
    from onefold.platform.warehouse import connect_as

    systems = read_systems()
    if system and system not in systems:
        raise Fatal(f"There is no system {system!r} in the catalogue: {did_you_mean(system, systems, 'there are')}.")
    prices = read_prices(systems)
    month = month_of(month_text) if month_text else company_day(prices, datetime.now(UTC)).replace(day=1)
    if apply_now:
        with connect_as("loader", autocommit=True) as connection:
            apply_prices(connection, actor(), prices)
    with connect_as("engineer") as connection:
        found = bill(connection, month, system)
        applied = is_applied(connection, prices)
    if not applied:
        click.echo("catalog/prices.yaml has changed since it was applied: bin/onefold cost --apply", err=True)
    click.echo(json.dumps(_as_json(found), indent=2, default=str) if as_json else text_of(found))


def month_of(text: str) -> date:
    """The first day of a month that is written YYYY-MM. Raises Fatal for anything else."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Fatal(f"{text!r} is not a month. Write one as 2026-11.") from None


def _as_json(found: Bill) -> dict[str, object]:
    return {
        "month": f"{found.month:%Y-%m}",
        "currency": found.currency,
        "total": found.total,
        "systems": [asdict(each) for each in found.systems],
        "lines": [asdict(each) | {"unit": each.unit} for each in found.lines],
    }


def text_of(found: Bill) -> str:
    """The bill as a table, and what is missing from it."""
    from onefold.text_table import table

    currency = found.currency or ""
    rows = [
        (
            *(line.system, line.stream or "(whole)", line.kind),
            f"{line.quantity:,.3f}".rstrip("0").rstrip("."),
            line.unit,
            f"{line.amount:,.2f}" if line.unpriced < line.quantity or not line.quantity else "no price",
        )
        for line in found.lines
    ]
    lines = (
        [table(("system", "stream", "kind", "quantity", "unit", currency or "amount"), rows, left=3)] if rows else []
    )
    lines += [f"{found.month:%Y-%m}: {found.total:,.2f} {currency}".rstrip()]
    for each in found.systems:
        if each.budget is not None:
            lines.append(f"{each.system}: {each.amount:,.2f} of its budget of {each.budget:,.2f} ({each.used:.0f} %)")
        if each.uncounted:
            lines.append(f"{each.system}: what the last attempts of dead loads used is not known ({each.uncounted})")
        if each.without_cpu:
            lines.append(f"{each.system}: the CPU time of older loads was not measured ({each.without_cpu})")
    if found.currency is None:
        lines.append("No prices have been applied: write catalog/prices.yaml, then bin/onefold cost --apply")
    return "\n".join(lines)
