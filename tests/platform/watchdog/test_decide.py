"""What the watchdog decides, look by look, without any process: each case is a short story of an installation."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from onefold.errors import Fatal
from onefold.platform.watchdog.limits import read_limits
from onefold.platform.watchdog.snapshot import OverdueSync, TasksSeen
from tests.platform.watchdog.story import IDLE, LIMITS, SERVICES, World


@pytest.fixture
def world() -> World:
    world = World()
    world.watch(60)
    assert not world.problems and not world.restarts
    return world


def test_nothing_is_told_or_restarted_while_all_is_well(world: World) -> None:
    for tasks in (TasksSeen(4, 4, 4, 30, "a", "b"), TasksSeen(4, 2, 2, 0, None, "waits for its own kind"), IDLE):
        world.tasks = tasks
        world.watch(2 * LIMITS.queued)
    assert world.restarted() == [] and world.problems == {}


def test_a_task_that_stays_queued_while_slots_are_free_restarts_the_scheduler_and_is_told(world: World) -> None:
    world.tasks = TasksSeen(4, queued=2, oldest_queued="a")
    took = world.watch(600, lambda: bool(world.restarts))
    assert LIMITS.queued <= took <= LIMITS.queued + 2 * LIMITS.every
    assert world.restarted() == [("scheduler", "standstill")]
    assert "with free slots (0 of 4 taken, 2 queued)" in world.problems["standstill", "tasks"]
    world.look()
    assert world.problems, "it is told until a task runs"
    world.tasks = TasksSeen(4, running=1, healthy=1)
    world.look()
    assert world.problems == {}


def test_a_scheduler_that_takes_its_time_to_start_is_not_restarted_for_what_waits_for_it(world: World) -> None:
    world.tasks = TasksSeen(4, queued=1, oldest_queued="a")
    world.watch(600, lambda: bool(world.restarts))
    world.silent.add("scheduler")  # it gives no first sign yet
    world.watch(LIMITS.starting - 30)
    assert world.restarted() == [("scheduler", "standstill")]


def test_other_tasks_that_wait_in_turn_are_progress(world: World) -> None:
    for number in range(60):
        world.tasks = TasksSeen(4, queued=1, oldest_queued=str(number // 6))
        world.look()
    assert world.restarted() == [] and world.problems == {}


def test_a_task_that_is_ready_and_not_handed_over_though_nothing_runs_is_a_standstill(world: World) -> None:
    world.tasks = TasksSeen(4, oldest_ready="a")
    world.watch(LIMITS.queued + 20)
    assert world.restarted() == [("scheduler", "standstill")]


def test_tasks_that_run_well_may_end_before_the_scheduler_is_restarted(world: World) -> None:
    world.tasks = TasksSeen(4, running=2, healthy=2, queued=1, oldest_queued="a")
    world.watch(LIMITS.queued + 30)
    assert world.restarted() == []
    assert "once the 2 running have ended" in world.problems["standstill", "tasks"]
    world.tasks = TasksSeen(4, running=0, queued=1, oldest_queued="a")
    world.look()
    assert world.restarted() == [("scheduler", "standstill")]


def test_tasks_that_never_end_do_not_hold_the_restart_up_for_ever(world: World) -> None:
    world.tasks = TasksSeen(4, running=2, healthy=2, queued=1, oldest_queued="a")
    took = world.watch(1200, lambda: bool(world.restarts))
    assert took <= LIMITS.queued + LIMITS.drain + 2 * LIMITS.every


def test_a_restart_that_lets_no_task_run_is_made_three_times_and_then_told_with_what_to_do(world: World) -> None:
    world.tasks = TasksSeen(4, queued=1, oldest_queued="a")
    world.step = 50
    world.watch(24 * 3600)
    assert world.restarted() == 3 * [("scheduler", "standstill")]
    assert "bin/onefold up" in world.problems["standstill", "tasks"]


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "postgres"])
def test_a_service_that_hangs_is_restarted_and_told_until_it_gives_a_sign_again(world: World, service: str) -> None:
    world.silent.add(service)
    took = world.watch(600, lambda: bool(world.restarts))
    assert LIMITS.silent <= took <= LIMITS.silent + 3 * LIMITS.every
    assert world.restarted() == [(service, "silent")]
    assert ("service", service) in world.problems
    world.watch(20)
    assert world.problems == {}
    world.watch(3600)
    assert len(world.restarts) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_has_died_is_restarted_at_once(world: World, service: str) -> None:
    world.dead.add(service)
    if service == "postgres":
        world.tasks = None
        world.silent.add("postgres")
    world.look()
    assert world.restarted() == [(service, "dead")]
    assert ("service", service) in world.problems


def test_a_service_that_dies_again_and_again_is_restarted_ever_later_and_then_left_alone(world: World) -> None:
    world.heals = False
    world.dead.add("triggerer")
    world.step = 50
    world.watch(2 * 24 * 3600)
    times = [at for at, _ in world.restarts]
    gaps = [later - before for before, later in pairwise(times)]
    assert len(times) == LIMITS.restarts_per_hour
    assert gaps == sorted(gaps) and gaps[-1] >= 8 * LIMITS.backoff
    message = world.problems["service", "triggerer"]
    assert "is left alone" in message and "logs/triggerer.log" in message and "bin/onefold up" in message


def test_a_service_that_recovers_and_dies_all_day_is_left_alone_too(world: World) -> None:
    world.step = 50
    for _ in range(40):
        world.dead.add("triggerer")
        world.watch(1800)
    assert len(world.restarts) == LIMITS.restarts_per_day
    assert "is left alone" in world.problems["service", "triggerer"]


def test_when_somebody_has_started_it_the_watchdog_begins_anew(world: World) -> None:
    world.heals = False
    world.dead.add("triggerer")
    world.watch(3600)
    world.heals = True
    world.restart("triggerer")
    world.watch(120)
    assert world.problems == {}
    before = len(world.restarts)
    world.dead.add("triggerer")
    world.look()
    assert len(world.restarts) == before + 1


def test_a_service_that_has_just_been_started_has_time_to_give_its_first_sign(world: World) -> None:
    world.heals = False
    world.dead.add("scheduler")
    world.look()
    world.dead.clear()
    world.silent.add("scheduler")  # its heartbeat is still the one of the process before
    world.watch(LIMITS.starting - 20)
    assert world.restarted() == [("scheduler", "dead")]
    assert ("service", "scheduler") in world.problems
    world.watch(60)
    assert world.restarted() == [("scheduler", "dead"), ("scheduler", "silent")]


def test_without_the_database_nothing_else_is_judged_or_restarted(world: World) -> None:
    world.tasks = None
    world.silent |= set(SERVICES)
    world.dead.add("scheduler")
    world.watch(600)
    assert world.restarted() == [], "a database that is silent may be recovering"
    assert "may be recovering" in world.problems["service", "postgres"]
    assert {subject for _, subject in world.problems} == {"postgres", "scheduler"}
    world.tasks = IDLE
    world.silent.clear()
    world.look()
    assert world.restarted() == [("scheduler", "dead")]


def test_healthy_tasks_outlive_a_dead_or_hanging_scheduler_for_a_while(world: World) -> None:
    world.tasks = TasksSeen(4, running=1, healthy=1)
    world.dead.add("scheduler")
    assert LIMITS.drain <= world.watch(600, lambda: bool(world.restarts)) <= LIMITS.drain + 20


@pytest.mark.parametrize("gap", [300, 8 * 3600])
def test_a_machine_that_slept_or_a_clock_that_jumped_is_no_silence(world: World, gap: float) -> None:
    world.tasks = TasksSeen(4, queued=1, oldest_queued="a")
    world.look()
    world.at += gap
    world.silent |= set(SERVICES)  # nobody has had the time for a new heartbeat
    world.look()
    world.silent.clear()
    world.look()
    assert world.restarted() == [] and world.problems == {}


def test_a_sync_that_was_due_and_has_not_run_is_told_and_the_scheduler_restarted_once(world: World) -> None:
    world.overdue = (OverdueSync("erp", "2026-03-01 02:10 UTC"),)
    world.watch(LIMITS.due - 20)
    assert world.problems == {}
    world.step = 50
    world.watch(24 * 3600)
    assert world.restarted() == [("scheduler", "overdue")]
    assert "erp (since 2026-03-01 02:10 UTC)" in world.problems["overdue", "sync"]
    world.overdue = ()
    world.look()
    assert world.problems == {}


def test_a_sync_whose_dag_cannot_be_read_restarts_the_dag_processor(world: World) -> None:
    world.overdue = (OverdueSync("erp", "2026-03-01 02:10 UTC", known=False),)
    world.watch(LIMITS.due + 30)
    assert world.restarted() == [("dag-processor", "overdue")]
    assert "import errors" in world.problems["overdue", "sync"]


def test_what_explains_an_overdue_sync_is_told_instead_of_it(world: World) -> None:
    world.heals = False
    world.dead.add("scheduler")
    world.overdue = (OverdueSync("erp", "2026-03-01 02:10 UTC"),)
    world.watch(2 * LIMITS.due)
    assert set(world.problems) == {("service", "scheduler")}


def test_no_service_is_restarted_twice_in_one_look_and_none_beyond_its_limit_whatever_happens() -> None:
    """Every combination of faults for a day: restarts stay bounded, and what is wrong at the end is told."""
    faults = [(dead, silent, stuck) for dead in (0, 1) for silent in (0, 1) for stuck in (0, 1)]
    for dead, silent, stuck in faults:
        world = World(heals=False)
        world.watch(60)
        world.dead |= {"scheduler"} if dead else set()
        world.silent |= {"api-server", "triggerer"} if silent else set()
        world.tasks = replace(IDLE, queued=1, oldest_queued="a") if stuck else IDLE
        world.step = 50
        world.watch(24 * 3600)
        for service in SERVICES:
            mine = [at for at, restart in world.restarts if restart.service == service]
            assert len(mine) == len(set(mine)) <= LIMITS.restarts_per_day
        assert bool(world.problems) == bool(dead or silent or stuck)


def test_where_others_restart_it_only_tells_and_says_what_to_do(world: World) -> None:
    world.may_restart = False
    world.silent.add("triggerer")
    world.tasks = TasksSeen(1, queued=1, oldest_queued="a")
    world.overdue = (OverdueSync("erp", "2026-03-01 02:10 UTC"),)
    world.watch(2 * LIMITS.due)
    assert world.restarts == []
    assert set(world.problems) == {("service", "triggerer"), ("standstill", "tasks")}
    assert all("docker compose restart" in message for message in world.problems.values())


def test_limits_are_read_from_one_setting() -> None:
    assert read_limits(" every=1, queued=2.5 ") == replace(LIMITS, every=1, queued=2.5)
    assert read_limits("") == LIMITS
    for wrong in ("every", "every=0", "every=inf", "each=1", "every=x", "queued=-1"):
        with pytest.raises(Fatal, match="ONEFOLD_WATCHDOG"):
            read_limits(wrong)
