"""The alerts when a system costs more in a month than its budget allows, or nearly so. They block nothing."""

from __future__ import annotations

from datetime import date

import psycopg

from onefold.notify import alert

KIND = "budget"
_OPEN_FOR_DAYS = 3
"""So long after its end a month is still looked at, for what it has cost in its last hours."""
_REACHED = """
select b.system, m.month, threshold, sum(m.amount), b.month, max(m.currency)
from ops.budget as b
join ops.cost_month as m using (system), unnest(b.alert_at) as threshold
where m.month = any (%(months)s)
group by b.system, m.month, threshold, b.month
having sum(m.amount) >= b.month * threshold / 100
order by 1, 2, 3
"""
# One that was resolved does not open again: a month's threshold is reached once.
_HAD = "select from ops.alert where kind = %s and subject = %s"


def check_budgets(connection: psycopg.Connection, actor: str, today: date) -> list[str]:
    """Open an alert for each threshold that a system has reached in a month, once, and resolve those of past months.

    Returns the subjects of new alerts. `today` is the day in the price list's time zone.
    """
    months = sorted({today.replace(day=1), date.fromordinal(today.toordinal() - _OPEN_FOR_DAYS).replace(day=1)})
    opened = []
    for system, month, threshold, amount, budget, currency in connection.execute(_REACHED, {"months": months}):
        subject = f"{system}:{month:%Y-%m}:{threshold}"
        if connection.execute(_HAD, (KIND, subject)).fetchone() is not None:
            continue
        said = "more than its budget of" if amount > budget else f"{amount / budget:.0%} of its budget of"
        alert.open_alert(
            *(connection, actor, KIND, subject),
            f"{system} has cost {amount:,.2f} {currency} in {month:%Y-%m}, {said} {budget:,.2f} {currency}. "
            f"bin/onefold cost {system} --month {month:%Y-%m} shows for what; see docs/runbooks/over-budget.md.",
        )
        opened.append(subject)
    _resolve_past(connection, actor, months)
    return opened


def _resolve_past(connection: psycopg.Connection, actor: str, months: list[date]) -> None:
    still = [f"{month:%Y-%m}" for month in months]
    past = connection.execute(
        "select subject from ops.alert where kind = %s and resolved_at is null"
        " and not split_part(subject, ':', 2) = any (%s) order by alert_id",
        (KIND, still),
    ).fetchall()
    for (subject,) in past:
        alert.resolve_alert(connection, actor, KIND, subject)
