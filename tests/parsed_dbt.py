"""The dbt project, parsed once a test run by the worker that needs it first, for that takes seconds of its processor.

A parsed model holds the database's name, which is as long for all of the tests'. What is parsed with the variables of a
dry run is another project: its schemas have other names.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from onefold.conform import dbt_build
from onefold.conform.dbt_build import DbtProject

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

Parse = Callable[[DbtProject, list[str], str], "Manifest"]


@pytest.fixture(scope="session")
def parsed_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parse]:
    """How a project is parsed, given dbt's arguments and the database's name; conform does it so, too."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # which all workers share
    parse = dbt_build._manifest

    def manifest(project: DbtProject, common: list[str], database: str) -> Manifest:
        from dbt.contracts.graph.manifest import Manifest

        kept = folder / f"parsed-{_name(project.folder, common, len(database))}.msgpack"
        with kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                parsed = parse(project, common, database).to_msgpack()
                kept.write_bytes(database.encode() + b"\n" + parsed)
        first, _, content = kept.read_bytes().partition(b"\n")
        return Manifest.from_msgpack(content.replace(first, database.encode()))

    from dbt_common.behavior_flags import BehaviorFlagRendered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt_build, "_manifest", manifest)
        # For the module that declares a flag, a name in a message, dbt goes through the whole stack and all that the
        # worker has imported: some tenths of a second of processor time each time that it is called.
        patch.setattr(BehaviorFlagRendered, "_default_source", staticmethod(lambda: "dbt.adapters.postgres.impl"))
        yield manifest


def _name(project: Path, arguments: Sequence[str], length: int) -> str:
    """The same for all that one parsing serves: the same project and variables, whatever these say, and as long a
    database's name."""
    variables = sorted(json.loads(arguments[arguments.index("--vars") + 1]))
    return sha256(json.dumps([str(project), variables, length]).encode()).hexdigest()[:16]
