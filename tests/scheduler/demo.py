"""One installation of 200 companies for the tests of a session, and what its first demo has left behind."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from onefold.catalog.reader import read_systems
from onefold.catalog.target_reader import read_targets
from tests.scheduler.installation import Ended, Installation, at_rest, ended
from tests.scheduler.tables import tables

FIRST_COMMAND = "make demo"
CONFORM = "conform"
WRITE_BACKS = tuple(f"write_back__{name}" for name in read_targets())


@dataclass(frozen=True)
class Demo:
    """A demo that has ended: what it said, how long it took, and the tables and the DAGs that were switched on right
    after it. `meanwhile` is another demo in the same home, begun while it ran."""

    installation: Installation
    output: str
    seconds: float
    tables: Mapping[str, list[str]] = field(repr=False)
    switched_on: frozenset[str]
    meanwhile: Ended


@pytest.fixture(scope="session")
def first_demo() -> Iterator[Demo]:
    """The README's first command in a fresh home. The later tests of the session go on with what it has left."""
    installation = Installation()
    installation.home.chmod(0o755)  # the unprivileged account that PostgreSQL gets when root runs it must come in
    began = time.monotonic()
    try:
        with installation.types(FIRST_COMMAND) as process:
            first_line = process.stdout.readline()  # it has said something: it is at work
            meanwhile = installation.run("demo")
            command = ended(process)
        output = first_line + command.output
        assert command.code == 0, f"{output}\n{command.errors}"
        seconds, api = time.monotonic() - began, installation.api()
        by_itself = (CONFORM, "reconcile", "retention", *WRITE_BACKS)
        switched_on = frozenset(dag_id for dag_id in by_itself if not api.is_paused(dag_id))
        for dag_id in WRITE_BACKS:  # what other tests change is not written out
            api.pause(dag_id)
        yield Demo(installation, output, seconds, tables(installation), switched_on, meanwhile)
    finally:
        installation.remove()


def running(installation: Installation) -> Installation:
    """The installation, brought up again where a test before has ended it."""
    if not installation.processes():
        installation.succeed("up")
    return installation


@pytest.fixture
def here(first_demo: Demo) -> Installation:
    """The installation of the first demo, running. No load starts conform, which would take 15 seconds of a core each
    time: what is loaded meanwhile is taken in by the next conform that somebody asks for."""
    installation = running(first_demo.installation)
    installation.api().pause(CONFORM)
    return installation


@pytest.fixture
def conforming(first_demo: Demo) -> Iterator[Installation]:
    """The installation, in which whatever is loaded starts conform."""
    installation = running(first_demo.installation)
    installation.api().unpause(CONFORM)
    yield installation
    installation.api().pause(CONFORM)


@pytest.fixture
def alone(conforming: Installation) -> Installation:
    """The installation, in which nothing runs but what the test starts: what users see of all is compared."""
    api = conforming.api()
    for dag_id in (f"sync__{name}" for name in read_systems()):
        api.pause(dag_id)
        while not at_rest(api, dag_id):  # a run that the schedule began just before waits while its DAG is paused
            api.unpause(dag_id)
            conforming.comes_to_rest(dag_id)
            api.pause(dag_id)
    conforming.comes_to_rest(CONFORM)
    return conforming
