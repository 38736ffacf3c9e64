"""Tables as plain text and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """Columns as wide as their widest cell; the first `left` of them flush left, figures flush right."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (heads, ["-" * width for width in widths], *rows)
    ]
    return "\n".join(lines)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; what would end a cell in it is replaced."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def number(value: object) -> str:
    """A number with its thousands marked; "unknown" for None."""
    return "unknown" if value is None else f"{value:,}"


def mib(size: int) -> str:
    """Bytes as MiB, with one digit after the point."""
    return f"{size / (1 << 20):,.1f} MiB"


def with_noun(count: int, one: str, many: str) -> str:
    """A number with its noun, as 1 row, 2,000 rows."""
    return f"{count:,} {one if count == 1 else many}"
