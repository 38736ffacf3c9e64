"""A plan as a page that people read, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import psycopg

from onefold.change.content import Content, EntityChange
from onefold.change.ledger import Plan, samples_of
from onefold.text_table import markdown_table, number

_SAMPLES = 8
"""Golden records shown of each kind and entity; --json has all that are kept."""


def plan_page(connection: psycopg.Connection, plan: Plan) -> str:
    """The whole page; the same whenever it is made."""
    samples = samples_of(connection, plan.plan_id)
    content = plan.says
    parts = [_head(plan, content)]
    for each in (_golden(content), _samples(content, samples), _tables(content), _judged(content), _work(content)):
        parts += each
    return "\n\n".join(parts)


def _head(plan: Plan, content: Content) -> str:
    based = plan.warehouse["publish_id"]
    taken = f", with {len(content.loads)} loads that wait to be taken in" if content.loads else ""
    return (
        f"**Plan {plan.plan_id}** of catalogue {plan.fingerprint[:12]}, against publish {based or 'none'}{taken}. "
        f"{number(content.golden)} golden records would change."
    )


def _golden(content: Content) -> Iterator[str]:
    if not content.entities:
        return
    counted = ("new", "changed", "merged", "split", "ended", "held_back", "warnings", "conflicts")
    rows = [[each.entity, *(number(each.counts[of]) for of in counted)] for each in content.entities]
    yield "What would become of the golden records:"
    yield markdown_table(["entity", *(of.replace("_", " ") for of in counted)], rows)
    rows = [
        [f"{each.entity}.{name}", *(number(counts[kind]) for kind in ("filled", "emptied", "changed"))]
        for each in content.entities
        for name, counts in each.attributes.items()
    ]
    if rows:
        yield "Of those that change, by attribute:"
        yield markdown_table(["attribute", "gets a value", "loses it", "has another"], rows)
    for each in content.entities:
        if each.same_values:
            yield (
                f"{number(each.same_values)} of {each.entity} keep every value and get a version all the same, because "
                "another record gives one of them, or the attributes are others."
            )
        if each.refused:
            yield f"**The gate would refuse it**: {each.refused}"


def _samples(content: Content, samples: Mapping[str, Mapping[str, Sequence[Mapping[str, object]]]]) -> Iterator[str]:
    for each in content.entities:
        for kind, records in samples.get(each.entity, {}).items():
            if records:
                yield _sample(each, kind, records)


def _sample(each: EntityChange, kind: str, records: Sequence[Mapping[str, object]]) -> str:
    lines = [f"- {each.entity} {record['id']}{_said(kind, record)}" for record in records[:_SAMPLES]]
    total = each.counts[kind]
    more = f", {len(lines)} of them" if total > len(lines) else ""
    return f"{kind.replace('_', ' ').capitalize()} ({number(total)}{more}):\n" + "\n".join(lines)


def _said(kind: str, record: Mapping[str, object]) -> str:
    attributes = record.get("attributes")
    if kind == "changed" and isinstance(attributes, dict):
        return ": " + "; ".join(
            f"{name} {_value(before)} → {_value(after)}" for name, (before, after) in sorted(attributes.items())
        )
    if isinstance(attributes, dict):
        return ": " + "; ".join(f"{name} {_value(value)}" for name, value in sorted(attributes.items()))
    into = record.get("into")
    if isinstance(into, list):
        return f" → {', '.join(map(str, into))}"
    if into:
        return f" → {into}"
    return f": {record['reason']}" if kind == "held_back" else ""


def _value(value: object) -> str:
    return "∅" if value is None else str(value)


def _tables(content: Content) -> Iterator[str]:
    if content.tables.changes:
        yield "What changes in the schema (the numbered migration that `bin/onefold generate` writes): " + ", ".join(
            content.tables.changes
        )
    if content.tables.losses:
        lost = [f"- {name}: {loss}" for name, loss in content.tables.losses.items()]
        yield "**Values are lost**:\n" + "\n".join(lost)
    if content.tables.broken_marts:
        broken = [f"- marts.{name} reads {gone}" for name, gone in content.tables.broken_marts.items()]
        yield "**Marts that read what is gone**, to be edited first:\n" + "\n".join(broken)
    if content.marts:
        yield f"Marts that show what changes: {', '.join(content.marts)}"


def _judged(content: Content) -> Iterator[str]:
    rows = [
        [each.stream, each.rows_are, number(each.rows), what, number(now), number(then)]
        for each in content.judged
        for what, now, then in each.lines()
    ]
    if rows:
        yield (
            "What the gate would say of the rows that are there. Published ones stay until they come again, golden "
            "records until they change; what waits comes in by `bin/onefold replay`:"
        )
        yield markdown_table(["stream or entity", "rows", "of", "what", "now", "would be"], rows)


def _work(content: Content) -> Iterator[str]:
    if content.mapped:
        rows = [[part, number(rows)] for part, rows in content.mapped.items()]
        yield "What is mapped again:"
        yield markdown_table(["entity:stream", "records"], rows)
    resolved = [part.partition(":")[0] for part in content.parts if part.endswith(":resolution")]
    if resolved:
        yield f"Resolved again as a whole: {', '.join(resolved)}"
    if content.entities:
        yield f"It took {content.seconds:,.1f} s in the shadow, and applying it takes about as long."
    if content.load_again:
        yield "What must be loaded again to have an effect:\n" + "\n".join(f"- {each}" for each in content.load_again)
