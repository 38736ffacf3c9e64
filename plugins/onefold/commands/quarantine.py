"""onefold quarantine: which rows wait, which values are withheld from published records, and why."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from onefold.insight.page import MAX_ROWS


@click.command(epilog="Example: onefold quarantine salesforce.account --values")
@click.argument("name", required=False, metavar="[SYSTEM[.STREAM]]")
@click.option("--rows", "each_row", is_flag=True, help="Each row that waits, the newest first.")
@click.option("--values", "each_value", is_flag=True, help="Each withheld value, the newest first.")
@click.option("--attribute", help="With --values: of this attribute only, as customer.phone.")
@click.option("--limit", type=click.IntRange(1, MAX_ROWS), default=100, show_default=True, help="Lines of a page.")
@click.option("--before", type=click.IntRange(1), help="The page after the one that ended with this number.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def quarantine(
    name: str | None,
    each_row: bool,
    each_value: bool,
    attribute: str | None,
    limit: int,
    before: int | None,
    as_json: bool,
) -> None:
    """Show which rows wait in quarantine and which values are withheld from published records, and why.

    Without an option: how many of each, by expectation and by attribute, with the share of the records that lack the
    attribute, and what waits on the way out, at a target of write-back. No values of records are shown.
    """
    from onefold.catalog.reader import read_systems
    from onefold.commands.past import known_stream
    from onefold.commands.report_text import rate_table, reason_table, row_table, withheld_table, write_back_lines
    from onefold.insight.quarantine import quarantine_reasons, quarantined_rows, withheld_values
    from onefold.insight.write_backs import target_states
    from onefold.load.withheld_rates import withheld_rates
    from onefold.platform.warehouse import connect_as

    if each_row and each_value:
        raise click.UsageError("Choose one of --rows and --values.")
    if attribute and not each_value:
        raise click.UsageError("--attribute needs --values.")
    system, stream = known_stream(read_systems(), name) if name else (None, None)
    with connect_as("engineer") as connection:
        if each_row:
            rows = quarantined_rows(connection, system=system, stream=stream, before=before, limit=limit)
            _show([asdict(row) for row in rows.rows], row_table(rows.rows), rows.before, as_json)
        elif each_value:
            values = withheld_values(
                connection, system=system, stream=stream, attribute=attribute, before=before, limit=limit
            )
            _show([asdict(value) for value in values.rows], withheld_table(values.rows), values.before, as_json)
        else:
            reasons = quarantine_reasons(connection, system=system, stream=stream)
            rates = withheld_rates(connection, system=system, stream=stream)
            outward = [] if name else [each for each in target_states(connection, ()) if each.waits]
            if as_json:
                withheld = [{**asdict(each), "rate": each.rate} for each in rates]
                click.echo(
                    json.dumps(
                        {
                            "waiting": [asdict(each) for each in reasons],
                            "withheld": withheld,
                            "out": [asdict(each) for each in outward],
                        },
                        indent=2,
                        default=str,
                    )
                )
                return
            waiting = f":\n{reason_table(reasons)}" if reasons else "."
            click.echo(f"{sum(each.rows for each in reasons):,} rows wait in quarantine{waiting}")
            lacking = f":\n{rate_table(rates)}" if rates else "."
            click.echo(f"{sum(each.values for each in rates):,} values are withheld from published records{lacking}")
            for line in write_back_lines(outward):
                click.echo(line)


def _show(rows: list[dict[str, object]], text: str, before: int | None, as_json: bool) -> None:
    """A page of the list, and how to ask for the next one."""
    if as_json:
        click.echo(json.dumps({"rows": rows, "before": before}, indent=2, default=str))
        return
    click.echo(text if rows else "There is none.")
    if before:
        click.echo(f"There are more: --before {before}", err=True)
