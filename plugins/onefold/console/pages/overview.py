"""Overview: how each stream and each entity stands now, what is wrong first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from onefold.catalog.delivery_target import read_delivery_targets
from onefold.catalog.reader import read_catalog, read_systems
from onefold.catalog.target_reader import read_targets
from onefold.console.reading import reading
from onefold.console.render import page
from onefold.errors import Fatal
from onefold.insight.alerts import open_alerts
from onefold.insight.deliveries import target_statuses
from onefold.insight.entities import entity_statuses
from onefold.insight.problems import by_kind, problems
from onefold.insight.streams import StreamStatus, stream_statuses
from onefold.insight.trend import Day, days_of_streams
from onefold.insight.write_backs import target_states
from onefold.load.source_slots import unused_slots

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Total:
    """All streams in one line. `late`: older than their freshness SLA allows; `rejected`: whose last load was
    rejected, or ended before the source was read."""

    streams: int
    late: int
    rejected: int
    open_quarantine: int
    withheld: int
    drifted: int


@router.get("/overview")
def overview(request: Request, system: str | None = None) -> HTMLResponse:
    """The page, of all systems or one. Raises Fatal when there is no such system."""
    systems = read_systems()
    if system is not None and system not in systems:
        raise Fatal(f"There is no system {system!r} in the catalogue.")
    now, targets = datetime.now(UTC), read_targets(read_catalog())
    with reading() as connection:
        statuses = stream_statuses(connection, systems if system is None else {system: systems[system]})
        days = days_of_streams(connection, now, system=system)
        entities = entity_statuses(connection)
        alerts = open_alerts(connection)
        slots = unused_slots(connection, systems) if system is None else ()
        deliveries = target_statuses(connection, read_delivery_targets()) if system is None else []
        states = target_states(connection, targets) if system is None else []
    return page(
        request,
        request.state.viewer,
        "overview.html",
        systems={name: each.title for name, each in sorted(systems.items())},
        chosen=system,
        total=total(statuses, now),
        problems=by_kind(problems(statuses, now, slots)),
        statuses=statuses,
        trends={
            (status.system, status.stream): trend(days.get((status.system, status.stream), ())) for status in statuses
        },
        entities=entities,
        deliveries=deliveries,
        targets=targets,
        states=states,
        alerts=alerts.rows,
        more_alerts=alerts.before is not None,
    )


def total(statuses: Iterable[StreamStatus], now: datetime) -> Total:
    """The sums of these streams."""
    found = list(statuses)
    return Total(
        streams=len(found),
        late=sum(each.is_stale(now) for each in found),
        rejected=sum(each.last_load is not None and each.last_load.state == "rejected" for each in found),
        open_quarantine=sum(each.open_quarantine for each in found),
        withheld=sum(each.withheld for each in found),
        drifted=sum(each.drifted for each in found),
    )


def trend(days: Sequence[Day]) -> tuple[list[int], str] | None:
    """Records a day, and the same in words."""
    if not days:
        return None
    return [each.records for each in days], ", ".join(f"{each.day:%d %b} {each.records:,}" for each in days)
