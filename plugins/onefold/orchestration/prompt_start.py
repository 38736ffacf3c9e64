"""When a sync starts: at its times, and with `start: on_change` also as soon as there is anything to load.

For the latter a trigger runs in Airflow's triggerer, one a system, which looks and does nothing else: data and
positions are the load's. What it finds becomes an event of the system's asset, which starts the sync's DAG. Airflow may
lose such an event, or make one run of several (its issues 64205, 31795 and 54491): that loses no data, because the
trigger looks at what is published, and not at what it has said. Light, because the DAG processor reads it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, CronDataIntervalTimetable
from airflow.sdk.bases.timetable import BaseTimetable
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from onefold.catalog.system import System


def sync_schedule(system: System) -> BaseTimetable:
    """What starts the system's sync."""
    by_time = CronDataIntervalTimetable(system.schedule, timezone="UTC")
    if system.start == "on_schedule":
        return by_time
    return AssetOrTimeSchedule(timetable=by_time, assets=[changes_asset(system)])


def changes_asset(system: System) -> Asset:
    """What waits at the system to be loaded; its events are the trigger's."""
    trigger = ChangeTrigger(system.system, hashlib.sha256(system.model_dump_json().encode()).hexdigest()[:12])
    return Asset(
        name=f"changes.{system.system}",
        uri=f"onefold://changes/{system.system}",
        group="source",
        watchers=[AssetWatcher(name="changes", trigger=trigger)],
    )


class ChangeTrigger(BaseEventTrigger):
    """Fires when a stream of the system has something to load. `version` is another text whenever the system's YAML
    says something else: Airflow then ends this trigger and starts another."""

    def __init__(self, system: str, version: str) -> None:
        BaseEventTrigger.__init__(self)
        self.system = system
        self.version = version

    def serialize(self) -> tuple[str, dict[str, object]]:
        return f"{__name__}.ChangeTrigger", {"system": self.system, "version": self.version}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Looks for ever, in a thread of its own: a source that hangs holds up no other trigger. Ends by being
        cancelled only; what goes wrong is logged, and it looks again later."""
        from onefold.orchestration.watched_system import WatchedSystem  # imports the engine

        watched = WatchedSystem(self.system)
        loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1, f"changes of {self.system}")
        try:
            while True:
                (seen,) = await asyncio.gather(loop.run_in_executor(thread, watched.look), return_exceptions=True)
                if isinstance(seen, BaseException):
                    await asyncio.gather(loop.run_in_executor(thread, watched.close), return_exceptions=True)
                    seen = [], watched.failed(seen)
                streams, pause = seen
                if streams:
                    yield TriggerEvent({"system": self.system, "streams": list(streams)})
                await asyncio.sleep(pause)
        finally:
            thread.submit(watched.close)
            thread.shutdown(wait=False)
