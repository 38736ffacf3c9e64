"""The text of a digest and of a report: names of streams and entities, and figures; nothing of a record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from onefold.hypercare.figures import DAY, Days, Figures, total
from onefold.hypercare.subjects import Subject

WEEK = 7 * DAY


def digest(subjects: Sequence[Subject], day: date, days: Days, currency: str | None) -> str:
    """What the day brought to each subject, against the average day of the week before."""
    lines = [f"Hypercare, {day:%Y-%m-%d}: {len(subjects)} new. Each figure: the day (a day of the week before)."]
    for each in subjects:
        number, of = (day - each.first_day).days + 1, (each.last_day - each.first_day).days + 1
        today = total(days, each.streams, day, day)
        before = total(days, each.streams, day - WEEK, day - DAY)
        lines.append(f"- {each.title}, day {number} of {of}: {_compared(today, before, currency)}")
    return "\n".join(lines)


def report(subjects: Sequence[Subject], day: date, days: Days, currency: str | None) -> str:
    """How the subjects that ended on the day have done: the last week against the first one, and the whole."""
    lines = [f"Hypercare has ended on {day:%Y-%m-%d} of {len(subjects)} that were new. Thresholds are the usual again."]
    for each in subjects:
        whole = total(days, each.streams, each.first_day, each.last_day)
        first = total(days, each.streams, each.first_day, min(each.first_day + WEEK - DAY, each.last_day))
        last = total(days, each.streams, max(each.last_day - WEEK + DAY, each.first_day), each.last_day)
        lines.append(
            f"- {each.title}, {each.first_day:%Y-%m-%d} to {each.last_day:%Y-%m-%d}, loaded on {whole.days_loaded} of "
            f"{(each.last_day - each.first_day).days + 1} days: {_listed(whole, currency)}. "
            f"First week: {_listed(first, currency)}. Last week: {_listed(last, currency)}."
        )
    return "\n".join(lines)


def _compared(today: Figures, week: Figures, currency: str | None) -> str:
    usual = "nothing was loaded in the week before" if not week.loads else None
    said = _parts(today, currency)
    if usual:
        return f"{', '.join(f'{what} {value}' for what, value in said)}; {usual}"
    average = (
        *(f"{count / 7:,.1f}" for count in (week.loads, week.rejected, week.read, week.written)),
        *(f"{count / 7:,.1f}" for count in (week.quarantined, week.withheld)),
        "not compared" if week.drift is None else f"{week.drift:,}",
        f"{week.cost / 7:,.2f}",
    )
    return ", ".join(f"{what} {value} ({before})" for (what, value), before in zip(said, average, strict=True))


def _listed(found: Figures, currency: str | None) -> str:
    return ", ".join(f"{what} {value}" for what, value in _parts(found, currency))


def _parts(found: Figures, currency: str | None) -> list[tuple[str, str]]:
    return [
        ("loads", f"{found.loads:,}"),
        ("rejected", f"{found.rejected:,}"),
        ("rows read", f"{found.read:,}"),
        ("written", f"{found.written:,}"),
        ("quarantined", f"{found.quarantined:,}"),
        ("withheld", f"{found.withheld:,}"),
        ("drift", "not compared" if found.drift is None else f"{found.drift:,}"),
        ("cost", f"{found.cost:,.2f} {currency or '(no prices)'}"),
    ]
