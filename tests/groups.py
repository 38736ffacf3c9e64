"""Which tests run on one worker, because they share what is expensive to make.

pytest-xdist 3.8 names a group in a test's id (`--dist loadgroup`), which pytest 9 no longer lets it change: each test
would be its own group.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

_STREAM = re.compile(r"\[([a-z0-9_]+\.[a-z0-9_]+)[-\]]")

_PUBLISHED = {
    "test_catalogue.py",
    "test_commerce.py",
    "test_connect.py",
    "test_ksef_invoices.py",
    "test_registers.py",
}
_EVERY_STREAM = {"test_one_record.py", "test_erased.py", "test_mapping_proposals.py"}

SCHEDULER = "scheduler"
"""Its tests wait for one another's runs, one at a time: the longest that one worker does."""

_KILLED = {"test_disk.py", "test_kill.py"}

_LONG = re.compile(
    r"published|every_stream|killed erasures"
    r"|tests/(conform|erasure|migration|operations|replay|retention|rollback|torture|survey|mapping_proposal)/"
)
"""Groups of a few tests that take half a minute or more: begun last, one would be all that the machine still does."""


def group_of(test: str) -> str:
    """The group of a test, by its id: the scheduler's tests share an installation; those of
    what is lawful its publish; those of killed erasures their cluster; those of a stream its first load; those of a
    module its fixtures."""
    module = test.partition("::")[0]
    if module.partition("tests/conform/")[2] in _PUBLISHED:
        return "published"
    if module.partition("tests/conform/")[2] in _EVERY_STREAM:
        return "every_stream"
    if "tests/scheduler/" in module or module.endswith("tests/docs/test_commands.py"):
        return SCHEDULER
    if module.partition("tests/erasure/")[2] in _KILLED:
        return "killed erasures"
    stream = _STREAM.search(test)
    return stream[1] if stream and "tests/acceptance/" in module else module


class GroupScheduling(LoadScopeScheduling):
    """Gives each worker whole groups: first what takes long, the scheduler's before all, then the largest."""

    _is_ordered = False

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give the worker the next group. xdist has put them in its own order just before it calls this first."""
        if not self._is_ordered:
            self._is_ordered = True
            for group in [*(each for each in reversed(self.workqueue) if _LONG.match(each)), SCHEDULER]:
                if group in self.workqueue:
                    self.workqueue.move_to_end(group, last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
