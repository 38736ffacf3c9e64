"""make bench: measure, and print each ratio beside its target."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Iterator

import click

from benchmarks import (
    against_dlt,
    cdc,
    conforming,
    console,
    deliveries,
    empty_loads,
    erasing,
    gating,
    loading,
    memory,
    metrics,
    queues,
    register_api,
    rolling_back,
    small_loads,
    soap,
    webhooks,
    write_back,
)
from benchmarks.measure import warehouse
from benchmarks.table import Row, markdown

PARTS = {
    "loading": loading,
    "memory": memory,
    "metrics": metrics,
    "rollback": rolling_back,
    "erasure": erasing,
    "dlt": against_dlt,
    "soap": soap,
    "gate": gating,
    "conform": conforming,
    "console": console,
    "webhooks": webhooks,
    "api": register_api,
    "cdc": cdc,
    "queues": queues,
    "deliveries": deliveries,
    "write-back": write_back,
    "empty-loads": empty_loads,
    "small-loads": small_loads,
}


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)), metavar="[PART]...")
@click.option("--rows", default=1_000_000, show_default=True, help="How many companies.")
@click.option("--rounds", default=5, show_default=True, help="How often each thing is measured; the median counts.")
def bench(parts: tuple[str, ...], rows: int, rounds: int) -> None:
    """Measure every part, or those named: loading, memory, rollback, erasure, dlt, soap, gate, conform,
    console, webhooks, api, cdc, queues, deliveries, write-back, empty-loads, small-loads.

    All of it takes about half an hour at a million rows and five rounds. What takes longest is measured fewer times,
    or with fewer rows, and its line says so.
    """
    logging.disable(logging.WARNING)
    import great_expectations  # noqa: F401 - paid once by the scheduler that tasks are forked from, so not counted here

    found = []
    for row in _measured(parts or tuple(PARTS), rows, rounds):
        click.echo(f"{row.what}: {row.ratio:.2f} (target {row.target}); {row.detail}", err=True)
        found.append(row)
    click.echo(f"{rows:,} rows, median of {rounds}; {os.cpu_count()} cores, Python {platform.python_version()}\n")
    click.echo(markdown(found))


def _measured(parts: tuple[str, ...], rows: int, rounds: int) -> Iterator[Row]:
    with warehouse() as server:
        for part in parts:
            if part == "empty-loads":
                yield from empty_loads.measure(server, rounds)
            elif part != "small-loads":
                yield from PARTS[part].measure(server, rows, rounds)
    if "small-loads" in parts:  # it runs all of Onefold, and wants the machine for itself
        yield from small_loads.measure(rounds)


if __name__ == "__main__":
    bench()
