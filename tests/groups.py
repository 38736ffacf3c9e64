"""Which tests run on one worker, because they share what is expensive to make.

pytest-xdist 3.8 names a group in a test's id (`--dist loadgroup`), which pytest 9 no longer lets it change: each test
would be its own group.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

_STREAM = re.compile(r"\[([a-z0-9_]+\.[a-z0-9_]+)[-\]]")

_PUBLISHED = {"test_catalogue.py", "test_commerce.py", "test_ksef_invoices.py", "test_registers.py"}
_EVERY_STREAM = {"test_one_record.py", "test_erased.py", "test_mapping_proposals.py"}

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
        return "scheduler"
    if module.partition("tests/erasure/")[2] in _KILLED:
        return "killed erasures"
    stream = _STREAM.search(test)
    return stream[1] if stream and "tests/acceptance/" in module else module


class GroupScheduling(LoadScopeScheduling):
    """Gives each worker whole groups: after what they begin with, the long ones, then the largest first."""

    def schedule(self) -> None:
        """Begin, and put what takes long before the rest."""
        super().schedule()
        for group in [each for each in reversed(self.workqueue) if _LONG.match(each)]:
            self.workqueue.move_to_end(group, last=False)

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
