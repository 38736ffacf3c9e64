"""make bench: measure, and print each ratio beside its target."""

from __future__ import annotations

import logging
import os
import platform

import click

from benchmarks import gating, loading
from benchmarks.measure import warehouse
from benchmarks.table import markdown


@click.command()
@click.option("--rows", default=1_000_000, show_default=True, help="How many companies.")
@click.option("--rounds", default=5, show_default=True, help="How often each thing is measured; the median counts.")
def bench(rows: int, rounds: int) -> None:
    """Measure loading and the gate; a million rows and five rounds take about ten minutes."""
    logging.disable(logging.WARNING)
    import great_expectations  # noqa: F401 - paid once by the scheduler that tasks are forked from, so not counted here

    found = []
    with warehouse() as server:
        for part in (loading, gating):
            for row in part.measure(server, rows, rounds):
                click.echo(f"{row.what}: {row.ratio:.2f} (target {row.target}); {row.detail}", err=True)
                found.append(row)
    click.echo(f"{rows:,} rows, median of {rounds}; {os.cpu_count()} cores, Python {platform.python_version()}\n")
    click.echo(markdown(found))


if __name__ == "__main__":
    bench()
