"""What is wrong, and what to restart: a pure function of what is seen and what is remembered.

Ages are measured by watching and not by comparing clocks: a service is silent when its last sign of life has not
changed for so long, whatever time it bears. So neither a clock that jumps nor a machine that slept causes an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from onefold.platform.watchdog.limits import DAY, HOUR, Limits
from onefold.platform.watchdog.problems import Problem, overdue_problem, service_problem, standstill_problem
from onefold.platform.watchdog.snapshot import (
    DAG_PROCESSOR,
    DATABASE,
    SCHEDULER,
    Memory,
    ServiceMemory,
    ServiceSeen,
    Snapshot,
    Standstill,
)

Reason = Literal["dead", "silent", "standstill", "overdue"]


@dataclass(frozen=True, slots=True)
class Restart:
    """A service to restart now, and why."""

    service: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Decision:
    """What to remember, what to tell, and what to restart."""

    memory: Memory
    problems: tuple[Problem, ...]
    restarts: tuple[Restart, ...]


def decide(seen: Snapshot, before: Memory, limits: Limits, *, may_restart: bool = True) -> Decision:
    """Judge one look. Restarts a service at most once a look, and none but the database while that is away; none at
    all where others restart (`may_restart`), and then says so.
    """
    memory = _without_gap(seen, before, limits)
    services = {
        service.name: _remember(service, memory.services.get(service.name), seen, limits) for service in seen.services
    }
    problems = [
        problem
        for service in seen.services
        if (problem := service_problem(service, services[service.name], limits, may_restart))
    ]
    wanted: dict[str, Reason] = {
        service.name: "silent" if service.alive else "dead"
        for service in seen.services
        if _needs_restart(service, services[service.name], seen, limits)
    }
    standstill = _standstill(seen, memory, services, limits)
    if standstill and standstill.alarmed and seen.tasks:
        problems.append(standstill_problem(seen.tasks, standstill, limits, may_restart))
        if seen.at - standstill.since >= limits.queued and standstill.restarts < limits.restarts_per_standstill:
            wanted.setdefault(SCHEDULER, "standstill")
    overdue = _overdue(seen, memory, services, standstill)
    late = [sync for sync in seen.overdue if seen.at - overdue.get(sync.system, seen.at) >= limits.due]
    if late:
        problems.append(overdue_problem(late, may_restart))
        if not memory.restarted_for_overdue:
            wanted.setdefault(SCHEDULER if any(sync.known for sync in late) else DAG_PROCESSOR, "overdue")
    ordered = [
        Restart(name, reason)
        for name, reason in (wanted.items() if may_restart else ())
        if _may_restart(services.get(name), seen, limits)
        and not _waits(name, reason, services, standstill, seen, limits)
    ]
    for restart in ordered:
        one = services[restart.service]
        services[restart.service] = replace(one, ordered=True, restarts=(*_lately(one, seen.at, DAY), seen.at))
        if standstill and restart.reason == "standstill":
            standstill = replace(standstill, restarts=standstill.restarts + 1)
    told = memory.restarted_for_overdue or any(restart.reason == "overdue" for restart in ordered)
    return Decision(
        Memory(seen.at, services, standstill, overdue, told and bool(late)), tuple(problems), tuple(ordered)
    )


def _without_gap(seen: Snapshot, memory: Memory, limits: Limits) -> Memory:
    """After a time in which nobody looked, all observing begins anew: nothing is known of that time."""
    if memory.at is None or seen.at - memory.at <= 3 * limits.every + limits.silent / 2:
        return memory
    return replace(
        memory,
        services={name: replace(one, sign_at=seen.at) for name, one in memory.services.items()},
        standstill=replace(memory.standstill, since=seen.at) if memory.standstill else None,
        overdue=dict.fromkeys(memory.overdue, seen.at),
    )


def _remember(service: ServiceSeen, one: ServiceMemory | None, seen: Snapshot, limits: Limits) -> ServiceMemory:
    if one is None:
        one = ServiceMemory(service.instance, service.sign, seen.at)
    elif service.instance != one.instance:
        ours = one.ordered
        one = ServiceMemory(
            service.instance,
            one.sign,
            seen.at,
            trouble_since=one.trouble_since,
            restarts=one.restarts if ours else (),  # somebody has looked: it begins anew
            given_up=one.given_up and ours,
        )
    if service.sign not in (None, one.sign):
        one = replace(one, sign=service.sign, sign_at=seen.at, spoke=True)
    elif seen.tasks is None and service.name != DATABASE:
        one = replace(one, sign_at=seen.at)  # without the database there are no heartbeats to be seen
    if not service.alive or _is_silent(service, one, seen.at, limits):
        lately = len(_lately(one, seen.at, HOUR))
        too_often = lately >= limits.restarts_per_hour or len(_lately(one, seen.at, DAY)) >= limits.restarts_per_day
        since = one.trouble_since if one.trouble_since is not None else seen.at
        return replace(one, trouble_since=since, given_up=one.given_up or too_often)
    if one.spoke or not service.gives_signs:
        return replace(one, trouble_since=None, given_up=False)
    return one


def _is_silent(service: ServiceSeen, one: ServiceMemory, now: float, limits: Limits) -> bool:
    patience = limits.silent if one.spoke else limits.starting
    return service.gives_signs and now - one.sign_at > patience


def _lately(one: ServiceMemory, now: float, seconds: float) -> tuple[float, ...]:
    return tuple(at for at in one.restarts if now - at < seconds)


def _needs_restart(service: ServiceSeen, one: ServiceMemory, seen: Snapshot, limits: Limits) -> bool:
    """A database that is silent may be recovering: to kill it would only make that longer."""
    if not service.alive:
        return True
    return service.name != DATABASE and _is_silent(service, one, seen.at, limits)


def _may_restart(one: ServiceMemory | None, seen: Snapshot, limits: Limits) -> bool:
    if one is None or one.given_up:
        return False
    lately = _lately(one, seen.at, HOUR)
    if len(lately) >= limits.restarts_per_hour or len(_lately(one, seen.at, DAY)) >= limits.restarts_per_day:
        return False
    return not lately or seen.at - lately[-1] >= limits.backoff * 2 ** (len(lately) - 1)


def _waits(
    name: str,
    reason: Reason,
    services: Mapping[str, ServiceMemory],
    standstill: Standstill | None,
    seen: Snapshot,
    limits: Limits,
) -> bool:
    """Whether to wait a little: tasks that run well would be ended with the scheduler, and other services need the
    database."""
    if name != DATABASE and seen.tasks is None:
        return True
    if name != SCHEDULER or seen.tasks is None or not seen.tasks.healthy:
        return False
    since = services[SCHEDULER].trouble_since
    if reason == "standstill" and standstill:
        since = standstill.since + limits.queued
    return since is not None and seen.at - since < limits.drain


def _standstill(
    seen: Snapshot, memory: Memory, services: Mapping[str, ServiceMemory], limits: Limits
) -> Standstill | None:
    """The task that waits longest while there is a free slot for it; one at a time, so another one is progress."""
    tasks, before = seen.tasks, memory.standstill
    if tasks is None:
        return replace(before, since=seen.at) if before else None
    waiting = tasks.oldest_queued if tasks.running < tasks.slots else None
    if waiting is None and not tasks.running and not tasks.queued:
        waiting = tasks.oldest_ready
    if waiting is None:
        return None
    scheduler, was = services.get(SCHEDULER), memory.services.get(SCHEDULER)
    restarted = scheduler is None or was is None or scheduler.instance != was.instance
    if before is None or before.task != waiting:
        return Standstill(waiting, seen.at)
    if restarted or (scheduler and (scheduler.trouble_since is not None or not scheduler.spoke)):
        return replace(before, since=seen.at)  # a scheduler that is away, or has only just begun, explains it
    return replace(before, alarmed=before.alarmed or seen.at - before.since >= limits.queued)


def _overdue(
    seen: Snapshot, memory: Memory, services: Mapping[str, ServiceMemory], standstill: Standstill | None
) -> Mapping[str, float]:
    """Since when each sync has been overdue with nothing else being wrong that would explain it."""
    in_trouble = {name for name, one in services.items() if one.trouble_since is not None}
    stands_still = standstill is not None and standstill.alarmed
    explained = seen.tasks is None or stands_still or bool(in_trouble & {SCHEDULER, DAG_PROCESSOR})
    return {sync.system: seen.at if explained else memory.overdue.get(sync.system, seen.at) for sync in seen.overdue}
