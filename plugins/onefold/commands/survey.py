"""onefold survey: what the connected systems hold, before anything is integrated."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click


@click.command(epilog="Example: onefold survey --page survey.html")
@click.argument("names", nargs=-1, metavar="[SYSTEM]...")
@click.option("--pages", type=click.IntRange(1, 1000), default=3, show_default=True, help="Read of each stream.")
@click.option(
    "--full", is_flag=True, help="Read every stream to its end: exact overlaps, at the price of a first load."
)
@click.option(
    "--page",
    "page_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("survey.html"),
    show_default=True,
    help="Where the page goes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON; no page is written.")
def survey(names: tuple[str, ...], pages: int, full: bool, page_file: Path, as_json: bool) -> None:
    """Ask every connected system, or these, for some pages of each stream, and report what they hold.

    Entities, volumes, keys, which systems hold the same customers and how far they agree, personal data, limits, risks,
    and in which order to integrate. Reads only, within each system's rates; one that fails stops only itself. The
    records stand in temporary tables until the command ends; the report has counts, shares and masks, no value.
    """
    from onefold.catalog.reader import read_catalog
    from onefold.commands.endpoints import endpoint_of
    from onefold.commands.reconcile import named_streams
    from onefold.connectors.registry import open_transport
    from onefold.http.limit import WarehouseLimiter
    from onefold.platform.warehouse import connect_as, url_as
    from onefold.survey.document import document
    from onefold.survey.page import page
    from onefold.survey.reading import Bounds, StreamRead
    from onefold.survey.run import survey as ask

    def tell(read: StreamRead) -> None:
        click.echo(f"{read.name}: {read.not_read or f'{read.records:,} records'}", err=True)

    catalog = read_catalog()
    named_streams(catalog.systems, names)
    at = datetime.now(UTC)
    bounds = Bounds(None, None) if full else Bounds(pages)
    with connect_as("loader", autocommit=True) as connection, closing(WarehouseLimiter(url_as("loader"))) as limiter:
        found = ask(
            connection,
            catalog,
            lambda system: endpoint_of(system.connection),
            bounds,
            systems=names,
            transport=partial(open_transport, limiter=limiter),
            progress=tell,
        )
    if as_json:
        click.echo(json.dumps(document(found, at), indent=2, ensure_ascii=False))
        return
    page_file.write_text(page(found, catalog.systems, at), encoding="utf-8")
    click.echo(f"written: {page_file}")
