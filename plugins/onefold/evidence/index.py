"""The folder's table of contents, for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onefold.evidence.gaps import Gap


@dataclass(frozen=True)
class Listed:
    """One file of the folder: what it shows, of which controls it is evidence, and how many rows it has."""

    name: str
    shows: str
    controls: str
    rows: int
    at_export: bool = False


def index(period: str, origin: str, files: Sequence[Listed], gaps: Sequence[Gap], problem: str | None) -> str:
    """index.md. The same files and gaps give the same text."""
    since, until = period.split()
    lines = [
        "# Evidence",
        "",
        f"Of the installation `{origin}`, from {since} up to, and without, {until}.",
        "",
        "Each table is there as CSV and as JSON; `MANIFEST` has the SHA-256 of every file and is signed with Ed25519",
        "by the key of the audit chain's checkpoints. Check it: `onefold audit evidence --check FOLDER --key FILE`,",
        "where FILE is the signing.pub that you were given, not this folder's. No file has a record's content.",
        "",
        "The audit chain up to the period's end "
        + (
            f"is **not proven**: {problem}."
            if problem
            else "is proven by its signed checkpoints; the last of them is in `checkpoint.txt`."
        ),
        "",
        "## Files",
        "",
        "*State* is what was so when the folder was made; the others are of the period.",
        "Controls: ISO/IEC 27001:2022, Annex A.",
        "",
        "| File | Shows | Controls | Of | Rows |",
        "|---|---|---|---|---|",
    ]
    for each in files:
        of = "state" if each.at_export else "period"
        lines.append(f"| `{each.name}` | {each.shows} | {each.controls} | {of} | {each.rows:,} |")
    lines += ["", "## Gaps", ""]
    if gaps:
        lines += ["| Control | What is missing | What to do |", "|---|---|---|"]
        lines += [f"| {control} | {gap} | {remedy} |" for control, gap, remedy in gaps]
    else:
        lines += ["None is known."]
    return "\n".join(lines) + "\n"
