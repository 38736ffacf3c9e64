"""Draws where the time of a first load goes: python -m benchmarks.profile FILE.svg --rows 1000000."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import click

from benchmarks.companies import pages
from benchmarks.loading import job
from benchmarks.measure import Warehouse, warehouse
from onefold.connectors.records import Splitter
from onefold.load import gate_step, landing, publish, steps
from onefold.load.page_writer import PageWriter

PARTS: dict[str, list[tuple[object, str, str]]] = {
    "land": [
        (Splitter, "__call__", "split pages"),
        (landing, "pack_rows", "hash and pack"),
        (PageWriter, "send", "send to PostgreSQL"),
        (PageWriter, "flush", "wait for PostgreSQL"),
    ],
    "gate": [
        (gate_step, "make_candidates", "parse what changed"),
        (gate_step, "make_typed", "typed columns"),
        (gate_step, "may_have_drifted", "contract"),
        (gate_step, "evaluate_suite", "Great Expectations"),
    ],
    "publish": [
        (publish, "_count", "count and digest"),
        (publish, "_write_versions", "into staging"),
    ],
}
_COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0")
_REST = "#cccccc"
_WIDTH, _LEFT, _BAR = 760, 70, 26


@click.command(help=__doc__)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--rows", default=1_000_000, show_default=True)
def main(file: Path, rows: int) -> None:
    logging.disable(logging.WARNING)
    import great_expectations  # noqa: F401 - as in the scheduler that tasks are forked from

    bodies = list(pages(rows))
    with warehouse() as server:
        file.write_text(drawn(profile(server, bodies), rows), encoding="utf-8")


def profile(server: Warehouse, bodies: list[bytes]) -> dict[str, dict[str, float]]:
    """Seconds by step and part; what is in no part is under "rest"."""
    found: dict[str, dict[str, float]] = {}
    with server.fresh() as url:
        load = job(url, bodies, "profile")
        for name, parts in PARTS.items():
            taken = dict.fromkeys((part for _, _, part in parts), 0.0)
            began = time.perf_counter()
            with _timed(parts, taken):
                getattr(steps, name)(load)
            taken["rest"] = time.perf_counter() - began - sum(taken.values())
            found[name] = taken
    return found


@contextmanager
def _timed(parts: list[tuple[object, str, str]], taken: dict[str, float]) -> Iterator[None]:
    patches = [patch.object(owner, name, _timing(getattr(owner, name), part, taken)) for owner, name, part in parts]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def _timing(function: Callable[..., object], part: str, taken: dict[str, float]) -> Callable[..., object]:
    def timed(*arguments: object, **named: object) -> object:
        began = time.perf_counter()
        result = function(*arguments, **named)
        if isinstance(result, Iterator):
            result = list(result)
        taken[part] += time.perf_counter() - began
        return result

    return timed


def drawn(found: dict[str, dict[str, float]], rows: int) -> str:
    """The profile as an SVG: a bar a step, all on one scale of seconds."""
    scale = (_WIDTH - _LEFT - 90) / max(sum(parts.values()) for parts in found.values())
    lines: list[str] = []
    y = 40
    for step, parts in found.items():
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 18}" text-anchor="end">{step}</text>')
        x = float(_LEFT)
        legend = []
        for (name, taken), colour in zip(parts.items(), [*_COLOURS[: len(parts) - 1], _REST], strict=True):
            lines.append(f'<rect x="{x:.1f}" y="{y}" width="{taken * scale:.1f}" height="{_BAR}" fill="{colour}"/>')
            x += taken * scale
            legend.append(f'<tspan fill="{colour}">■</tspan> {name} {taken:.1f} s')
        lines.append(f'<text x="{x + 6:.1f}" y="{y + 18}">{sum(parts.values()):.1f} s</text>')
        lines.append(f'<text x="{_LEFT}" y="{y + _BAR + 17}" font-size="12">{"   ".join(legend)}</text>')
        y += 70
    title = f"A first load of {rows:,} records: {sum(sum(parts.values()) for parts in found.values()):.1f} s"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y - 10}" font-family="sans-serif"'
        f' font-size="13" xml:space="preserve">\n<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="{_LEFT}" y="22" font-weight="bold">{title}</text>\n' + "\n".join(lines) + "\n</svg>\n"
    )


if __name__ == "__main__":
    main()
