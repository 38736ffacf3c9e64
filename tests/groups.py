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

_SERVERS = {
    "mariadb": re.compile(r"tests/(connectors/(test_sql\w*|debezium/test_events)|draft/test_database)\.py"),
    "binlog": re.compile(r"tests/connectors/cdc/mysql/"),
    "kafka": re.compile(r"tests/connectors/kafka/"),
    "redis": re.compile(r"tests/connectors/redis_stream/"),
}
"""The tests of a foreign server, which takes seconds to start: on one worker it is started once."""

_REGISTERS = {"crbr", "krs", "regon", "vies", "white_list"}
"""Systems whose streams are asked about the companies that other streams name: those are loaded once, before all."""

_LONG = re.compile(
    r"published|every_stream|killed erasures|mariadb|binlog|registers"
    r"|tests/(conform|erasure|migration|operations|replay|retention|rollback|torture|survey|mapping_proposal)/"
)
"""Groups of a few tests that take half a minute or more: begun last, one would be all that the machine still does."""


def group_of(test: str) -> str:
    """The group of a test, by its id: the scheduler's tests share an installation; those of what is lawful its publish;
    those of killed erasures their cluster; those of a foreign server that server; those of the registers what names
    companies; those of another stream its first load; those of a module its fixtures."""
    module = test.partition("::")[0]
    if module.partition("tests/conform/")[2] in _PUBLISHED:
        return "published"
    if module.partition("tests/conform/")[2] in _EVERY_STREAM:
        return "every_stream"
    if "tests/scheduler/" in module or module.endswith("tests/docs/test_commands.py"):
        return SCHEDULER
    if module.partition("tests/erasure/")[2] in _KILLED:
        return "killed erasures"
    if server := next((name for name, modules in _SERVERS.items() if modules.match(module)), None):
        return server
    stream = _STREAM.search(test)
    if not stream or "tests/acceptance/" not in module:
        return module
    return "registers" if stream[1].partition(".")[0] in _REGISTERS else stream[1]


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
