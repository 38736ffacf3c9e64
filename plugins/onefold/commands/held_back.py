"""onefold held-back: which golden records stay at their last published state, and why."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from onefold.insight.page import MAX_ROWS


@click.command(name="held-back", epilog="Example: onefold held-back invoice --records")
@click.argument("entity", required=False)
@click.option("--records", "each_record", is_flag=True, help="Each golden record that is held back, the newest first.")
@click.option("--limit", type=click.IntRange(1, MAX_ROWS), default=100, show_default=True, help="Lines of a page.")
@click.option("--before", help="The page after the one that ended with this text.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def held_back(entity: str | None, each_record: bool, limit: int, before: str | None, as_json: bool) -> None:
    """Show which golden records of ENTITY (default: of all) are held back, since when and why.

    Without an option: how many, by entity and reason, with the entities that the last publish left out and the
    warnings of what is published. No values of records are shown.
    """
    from onefold.catalog.mistakes import did_you_mean
    from onefold.catalog.reader import read_catalog
    from onefold.commands.report_text import held_back_lines, held_back_table, warned_lines
    from onefold.errors import Fatal
    from onefold.insight.held_back import held_back as held_back_by_reason
    from onefold.insight.held_back import held_back_records, refused_entities, warned
    from onefold.platform.warehouse import connect_as

    entities = read_catalog().entities
    if entity and entity not in entities:
        raise Fatal(
            f"There is no entity {entity!r} in catalog/entities: {did_you_mean(entity, entities, 'there are')}."
        )
    with connect_as("engineer") as connection:
        if each_record:
            page = held_back_records(connection, entity=entity, before=before, limit=limit)
            if as_json:
                click.echo(json.dumps(asdict(page), indent=2, default=str))
                return
            click.echo(held_back_table(page.rows) if page.rows else "There is none.")
            if page.before:
                click.echo(f"There are more: --before {page.before}", err=True)
            return
        held, refused = held_back_by_reason(connection, entity=entity), refused_entities(connection)
        warnings = warned(connection, entity=entity)
    refused = {name: why for name, why in refused.items() if entity in (None, name)}
    if as_json:
        shown = {
            "held_back": [asdict(each) for each in held],
            "refused_entities": refused,
            "warnings": [asdict(each) for each in warnings],
        }
        click.echo(json.dumps(shown, indent=2, default=str))
        return
    lines = held_back_lines(held, refused, most=len(held)) or ["No golden record is held back."]
    click.echo("\n".join([*lines, *warned_lines(warnings)]))
