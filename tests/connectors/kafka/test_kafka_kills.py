"""A load of a topic that is killed at any moment ends as if undisturbed."""

from __future__ import annotations

import random
import time

from tests.connectors.kafka.conftest import Topic
from tests.connectors.killed_load import MOMENTS, killed
from tests.effort import TORTURE

KILLS = 100 if TORTURE else 6
SHARED = "abcde"


def test_a_load_killed_at_any_moment_loses_and_doubles_nothing_and_keeps_the_order(topic: Topic) -> None:
    dice, system, numbers = random.Random(7), topic.system(next={"size": 7}), iter(range(10**6))
    took, kills = 0.5, 0
    for attempt in range(KILLS):
        sent = [next(numbers) for _ in range(dice.randint(5, 60))]
        topic.add(*((dice.choice(SHARED) if dice.random() < 0.3 else f"k{number}", number) for number in sent))
        job = topic.loads.job(system)
        kills += killed(job, MOMENTS[attempt % len(MOMENTS)], dice.uniform(0, took))
        if dice.random() < 0.4:
            began = time.monotonic()
            topic.loads.load(system)
            took = time.monotonic() - began
    topic.loads.load(system)
    log, versions = topic.log(3), topic.loads.versions()
    assert kills > KILLS / 2
    assert topic.loads.published() == dict(log)
    assert sorted(each for each in versions if each[0] not in SHARED) == sorted(
        each for each in log if each[0] not in SHARED
    )
    for key in SHARED:
        places = [log.index(each) for each in versions if each[0] == key]
        assert places == sorted(set(places))
