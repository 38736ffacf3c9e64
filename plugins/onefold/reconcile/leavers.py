"""Who has left and could still come in: accounts whose person, as the golden records say, is gone.

An account is found by its subject, the key of a record of the realm (ONEFOLD_OIDC_USERS), never by a name. The golden
identity then says whether the realm has disabled or deleted it, and the employees with its proven address whether all
of them have left.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from onefold.errors import Fatal
from onefold.notify import alert

_KIND = "leaver"
_WHY: Mapping[str, str] = {
    "deleted": "the realm has deleted the account",
    "disabled": "the realm has disabled the account",
    "left": "the person's last day of work is over",
}
_GONE = """
select a.account, case
    when x.identity_id is null then case when exists (
        select from conformed.identity_crosswalk_version as v
        where (v.system, v.stream, v.key) = (%(system)s, %(stream)s, a.subject)) then 'deleted' end
    when not i.enabled then 'disabled'
    when e.all_left then 'left'
end
from ops.account as a
left join conformed.identity_crosswalk as x on (x.system, x.stream, x.key) = (%(system)s, %(stream)s, a.subject)
left join conformed.identity as i using (identity_id)
left join lateral (
    select bool_and(coalesce(left_on < current_date, false)) as all_left from conformed.employee where email = i.email
) as e on true
where a.ended_at is null
order by a.account
"""


@dataclass(frozen=True)
class Leavers:
    """What is done about who has left: `system` and `stream` have the realm's users by subject; `end`: their access is
    ended, else somebody is told to end it."""

    system: str
    stream: str
    end: bool


def leavers() -> Leavers | None:
    """What the settings say; None where no stream of the realm's users is named, so that nobody can be found.

    Raises Fatal for a setting that cannot be understood.
    """
    users, do = os.environ.get("ONEFOLD_OIDC_USERS", ""), os.environ.get("ONEFOLD_LEAVERS", "") or "alert"
    if do not in ("alert", "end"):
        raise Fatal(f"ONEFOLD_LEAVERS={do!r} is neither alert nor end. Set it to one.")
    if not users:
        return None
    system, _, stream = users.partition(".")
    if not system or not stream:
        raise Fatal(
            f"ONEFOLD_OIDC_USERS={users!r} is no stream. Set it to <system>.<stream>, whose key is the subject."
        )
    return Leavers(system, stream, do == "end")


def check_leavers(connection: psycopg.Connection, actor: str, what: Leavers) -> list[str]:
    """Open an alert for each account whose person has left, and end it where the settings say so; resolve the others'.
    Returns the accounts. The connection commits each statement."""
    found = connection.execute(_GONE, {"system": what.system, "stream": what.stream}).fetchall()
    gone = {account: why for account, why in found if why is not None}
    for account, why in gone.items():
        done = "Their access was ended" if what.end else f"End their access: bin/onefold account end {account}"
        alert.open_alert(connection, actor, _KIND, account, f"{account} can still come in, and {_WHY[why]}. {done}.")
        if what.end:
            connection.execute("select audit.end_account(%s, %s, %s)", (actor, account, why))
    open_ones = "select subject from ops.alert where kind = %s and resolved_at is null and subject <> all (%s)"
    for (account,) in connection.execute(open_ones, (_KIND, list(gone))).fetchall():
        alert.resolve_alert(connection, actor, _KIND, account)
    return list(gone)
