"""In which order the workers get their groups of tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

from tests.acceptance.streams import LISTING, LOOKUPS
from tests.groups import GroupScheduling, group_of

SMALL = [f"tests/{name}/test_small.py::test_{number}" for name in "abc" for number in range(2)]
LARGE = [f"tests/mapping/test_forms.py::test_{number}" for number in range(9)]
LONG = ["tests/torture/test_torture.py::test_one", "tests/torture/test_torture.py::test_other"]
SCHEDULERS = ["tests/scheduler/test_demo.py::test_one", "tests/docs/test_commands.py::test_other"]


@dataclass(eq=False)
class Worker:
    """What a worker is told to run, as indices of its collection."""

    told: list[int] = field(default_factory=list)
    shutting_down: bool = False
    gateway: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(id="gw"))

    def send_runtest_some(self, indices: list[int]) -> None:
        self.told += indices


def test_the_schedulers_group_is_begun_first_then_what_takes_long_then_what_is_large() -> None:
    workers = [Worker() for _ in range(3)]
    config = SimpleNamespace(
        getvalue=lambda name: ["popen"] * len(workers), option=SimpleNamespace(loadscopereorder=True), hook=None
    )
    scheduling = GroupScheduling(config, None)
    collected = [*SMALL, *LARGE, *LONG, *SCHEDULERS]
    for worker in workers:
        scheduling.add_node(worker)
        scheduling.add_node_collection(worker, collected)
    scheduling.schedule()
    begun = [[collected[index] for index in worker.told] for worker in workers]
    order = [SCHEDULERS, LONG, LARGE]
    assert [tests[: len(group)] for tests, group in zip(begun, order, strict=True)] == order


def test_what_takes_long_to_make_is_made_on_one_worker() -> None:
    module = "tests/acceptance/test_accepted_loads.py::test_one"
    assert {group_of(f"{module}[{listed.name}]") for listed in LOOKUPS} == {"registers"}
    assert {group_of(f"{module}[{listed.name}]") for listed in LISTING} == {listed.name for listed in LISTING}
    binlog, kafka = (f"tests/connectors/{folder}/test_" for folder in ("cdc/mysql", "kafka"))
    assert group_of(f"{binlog}loads.py::test_one") == group_of(f"{binlog}kills.py::test_other") == "binlog"
    assert group_of(f"{kafka}loads.py::test_one") == group_of(f"{kafka}kills.py::test_other") == "kafka"
    assert group_of("tests/connectors/test_sql.py::test_one") == group_of("tests/draft/test_database.py::test_other")
