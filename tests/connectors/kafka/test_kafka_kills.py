"""A load of a topic that is killed at any moment ends as if undisturbed."""

from __future__ import annotations

import random

from onefold.load.job import Job
from tests.connectors.kafka.conftest import Topic
from tests.connectors.killed_load import kill_loads
from tests.effort import TORTURE

KILLS = 100 if TORTURE else 6
SHARED = "abcde"


def test_a_load_killed_at_any_moment_loses_and_doubles_nothing_and_keeps_the_order(topic: Topic) -> None:
    dice, system, numbers = random.Random(7), topic.system(next={"size": 7}), iter(range(10**6))

    def prepare() -> Job:
        sent = [next(numbers) for _ in range(dice.randint(5, 60))]
        topic.add(*((dice.choice(SHARED) if dice.random() < 0.3 else f"k{number}", number) for number in sent))
        return topic.loads.job(system)

    kill_loads(KILLS, dice, prepare, go_on=lambda job: topic.loads.load(system))
    topic.loads.load(system)
    log, versions = topic.log(3), topic.loads.versions()
    assert topic.loads.published() == dict(log)
    assert sorted(each for each in versions if each[0] not in SHARED) == sorted(
        each for each in log if each[0] not in SHARED
    )
    for key in SHARED:
        places = [log.index(each) for each in versions if each[0] == key]
        assert places == sorted(set(places))
