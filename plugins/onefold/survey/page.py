"""The survey as one HTML page that needs nothing else: no script, no other file, no network. Every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from html import escape

from onefold.catalog.system import System
from onefold.survey.advice import requests_for_all
from onefold.survey.run import Survey
from onefold.survey.shared_records import EntityMet, Pair
from onefold.survey.stream_facts import StreamFacts

_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #1a1a1a; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
h1 { font-size: 1.7rem } h2 { margin-top: 2.2rem; border-bottom: 2px solid #ccc } h3 { margin-bottom: .3rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem } caption { text-align: left; color: #555 }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .6rem .25rem 0; text-align: left; vertical-align: top }
th { border-bottom: 2px solid #888 } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
code { font-size: .92em } .bad { color: #a40000 } .quiet { color: #666 }
@media print {
  body { margin: 0; max-width: none; font-size: 10pt } h2, h3 { break-after: avoid } tr { break-inside: avoid }
}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

Cell = str | int | float | None


def page(found: Survey, systems: dict[str, System], at: datetime) -> str:
    """The whole page, UTF-8."""
    body = "\n".join(
        part
        for section in (
            _head(found, at),
            _phases(found),
            _entities(found),
            _pairs(found),
            _truth(found),
            _systems(found, systems),
            _personal(found),
            _risks(found),
            _streams(found),
        )
        for part in section
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Onefold survey</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        f"<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[Cell]], caption: str = "") -> str:
    """A table; numbers are flush right, as is the head of a column whose first cell is one. Nothing for no rows."""
    listed = [list(row) for row in rows]
    if not listed:
        return '<p class="quiet">None.</p>'
    number = [isinstance(cell, int | float) for cell in listed[0]]
    head = "".join(f"<th{_right(right)}>{escape(text)}</th>" for text, right in zip(heads, number, strict=True))
    lines = "".join(
        "<tr>" + "".join(f"<td{_right(isinstance(cell, int | float))}>{_shown(cell)}</td>" for cell in row) + "</tr>"
        for row in listed
    )
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{said}<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _right(right: bool) -> str:
    return ' class="n"' if right else ""


def _shown(cell: Cell) -> str:
    if cell is None:
        return "–"
    return escape(f"{cell:,}" if isinstance(cell, int) else percent(cell) if isinstance(cell, float) else cell)


def percent(share: float) -> str:
    """`98.4 %`."""
    return f"{100 * share:.1f} %"


def _head(found: Survey, at: datetime) -> Iterator[str]:
    read = [each for each in found.streams if not each.read.not_read]
    yield "<h1>What the connected systems hold</h1>"
    yield (
        f"<p>Surveyed {at:%Y-%m-%d %H:%M} UTC: {len({each.read.system for each in found.streams})} systems, "
        f"{len(read)} of {len(found.streams)} streams read, {sum(each.read.records for each in read):,} records, "
        f"{sum(each.read.requests for each in found.streams):,} requests. Nothing was written to a system; the records "
        "are forgotten. The page shows counts, shares and masks (letters as a, digits as 9), no value of a record.</p>"
    )


def _phases(found: Survey) -> Iterator[str]:
    yield "<h2>Proposed phases</h2>"
    rows = (
        (number, ", ".join(each.entities), ", ".join(each.systems), each.why)
        for number, each in enumerate(found.phases, 1)
    )
    yield _table(("Phase", "Entities", "Systems", "Why"), rows)


def _entities(found: Survey) -> Iterator[str]:
    yield "<h2>Entities met</h2>"
    rows = (
        (
            each.entity,
            each.things,
            ", ".join(f"{system} {count:,}" for system, count in each.records.items()),
            sum(each.identified.values()) / total if (total := sum(each.records.values())) else 0.0,
            ", ".join(f"{count} with several {name}" for name, count in each.conflicts.items()) or None,
            "proposed" if any(source.proposed for source in each.sources) else "by the catalogue",
        )
        for each in found.entities
    )
    yield _table(("Entity", "Different things", "Records by system", "With identifier", "Conflicts", "Mapping"), rows)


def _pairs(found: Survey) -> Iterator[str]:
    yield "<h2>Which systems hold the same things</h2>"
    for each in found.entities:
        pairs = [pair for pair in each.pairs if pair.shared]
        if pairs:
            yield f"<h3>{escape(each.entity)}</h3>"
            yield _table(
                ("System", "and", "has", "has ", "both", "of the smaller", "They agree about"), map(_pair, pairs)
            )


def _pair(pair: Pair) -> Sequence[Cell]:
    agreed = (f"{each.attribute} {100 * each.same / each.both:.0f} %" for each in pair.agreements if each.both)
    return pair.one, pair.other, pair.of_one, pair.of_other, pair.shared, pair.share, ", ".join(agreed)


def _truth(found: Survey) -> Iterator[str]:
    yield "<h2>Candidates for the source of truth</h2>"
    for each in found.entities:
        truth = each.source_of_truth
        if truth:
            yield f"<h3>{escape(each.entity)}</h3>"
            yield _table(
                ("Attribute", "Candidate", "System", "Filled", "Understood", "Agrees with most others", "Changed last"),
                _qualities(each, truth),
            )


def _qualities(each: EntityMet, truth: dict[str, str]) -> Iterator[Sequence[Cell]]:
    for quality in each.quality:
        if quality.attribute in truth:
            yield (
                quality.attribute,
                "candidate" if truth[quality.attribute] == quality.system else "",
                quality.system,
                quality.filled / quality.records if quality.records else 0.0,
                quality.understood / quality.filled if quality.filled else None,
                quality.agreeing / quality.compared if quality.compared else None,
                each.newest.get(quality.system),
            )


def _systems(found: Survey, systems: dict[str, System]) -> Iterator[str]:
    yield "<h2>Interfaces and their limits</h2>"
    rows = (
        (
            each.read.name,
            each.volume,
            ", ".join(map(str, systems[each.read.system].limits.rate)),
            round(each.read.milliseconds / each.read.requests) if each.read.requests else None,
            requests_for_all(each),
            f"{each.read.quota_used or 0:,} of {each.read.quota:,}" if each.read.quota else None,
            each.read.not_read or "",
        )
        for each in found.streams
    )
    heads = ("Stream", "Records", "Rate", "ms a request", "Requests for all", "Quota used", "Not read")
    yield _table(heads, rows)


def _personal(found: Survey) -> Iterator[str]:
    yield "<h2>Personal data met</h2>"
    rows = (
        (
            each.read.name,
            field.name,
            field.personal if field.personal != "none" else f"not classed, looks like {field.looks_like}",
            field.filled,
            field.distinct,
            field.mask,
        )
        for each in found.streams
        for field in each.fields
        if (field.personal != "none" and field.filled) or field.looks_like
    )
    yield _table(("Stream", "Field", "Class", "Filled", "Different values", "Usual form"), rows)


def _risks(found: Survey) -> Iterator[str]:
    yield "<h2>Risks</h2>"
    yield _table(("Stream", "What"), ((each.stream, each.what) for each in found.risks))


def _streams(found: Survey) -> Iterator[str]:
    yield "<h2>Streams</h2>"
    for each in found.streams:
        if each.read.records:
            yield f"<h3><code>{escape(each.read.name)}</code> {escape(each.title)}</h3>"
            yield f"<p>{escape(_about(each))}</p>"
            rows = ((f.name, f.type, f.filled, f.distinct, f.mask) for f in each.fields)
            yield _table(("Field", "Type", "Filled", "Different values", "Usual form"), rows)


def _about(each: StreamFacts) -> str:
    form = " or ".join(each.key_masks) or "unknown"
    records = (
        f"{each.volume} records, {each.read.records:,} read on {each.read.pages:,} pages, {each.deleted:,} deleted."
    )
    keys = f"Key {', '.join(each.primary_key)}: {each.repeated_keys:,} repeated, {each.read.keyless:,} missing; {form}."
    parts = [records, keys]
    if each.months:
        parts.append("By month: " + ", ".join(f"{month} {count:,}" for month, count in each.months) + ".")
    return " ".join(parts)
