"""Offices: empty, filled and erased. The two latter are made once, and copied for each test.

The write-ahead log is not written anew after an erasure, which takes longer than all else of it: test_disk.py and
test_kill.py erase with that, in a cluster of their own.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from onefold.erasure import lifecycle
from onefold.erasure.plan import ErasurePlan
from onefold.load import gate_step
from onefold.platform.postgres import Postgres, free_port
from onefold.platform.postgres_account import delete_data
from onefold.warehouse.install import install
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.erasure.office import EMAIL, OTHER, Office, adam, event, zofia
from tests.erasure.world import ErasureWorld, at_home
from tests.roles import PASSWORDS, as_role

GUESTS = [("Zofia Brzezińska", EMAIL), ("Adam Nowy", OTHER)]


@pytest.fixture
def judged_office(loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Two people and their calendar, and the warehouse that they are loaded into; their suites are evaluated."""
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    _leave_log_alone(monkeypatch)
    return Office(loader_url, tmp_path / "home")


@pytest.fixture
def office(judged_office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The same without suites, whose evaluation takes most of a small load's time."""
    _judge_nothing(monkeypatch)
    return judged_office


@dataclass(frozen=True)
class Copies:
    """An office, and how to get a copy of it."""

    original: Office
    copy: Callable[[], AbstractContextManager[Office]]
    plan: ErasurePlan | None = None


@pytest.fixture(scope="module")
def filled_office(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    """Zofia stands in her own record, in Adam's calendar in three ways, and in quarantine."""
    with _made_once(postgres, TEMPLATE, tmp_path_factory.mktemp("filled")) as copies:
        office = copies.original
        with _quickly(office):
            office.load("hr.employee", zofia(), adam())
            office.load(
                "microsoft365.calendar_event",
                event("1", 1, subject="Budget with Zofia Brzezińska", guests=GUESTS, by=("Adam Nowy", OTHER)),
                event("2", 2, subject="Plans", guests=[], by=("BRZEZIŃSKA, Zofia", EMAIL.upper())),
                event("3", 3, subject="Nothing of hers", guests=[("Adam Nowy", OTHER)], by=("Adam Nowy", OTHER)),
            )
        yield copies


@pytest.fixture
def filled(filled_office: Copies) -> Iterator[Office]:
    """A copy of the office with Zofia in it."""
    with filled_office.copy() as office:
        yield office


@pytest.fixture(scope="module")
def erased_office(
    filled_office: Copies, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Copies]:
    """The same after Zofia's erasure, and the plan of it."""
    folder = tmp_path_factory.mktemp("erased")
    with _made_once(postgres, filled_office.original.database, folder, filled_office.original.home) as copies:
        with _quickly(copies.original):
            plan = copies.original.erase()
        yield Copies(copies.original, copies.copy, plan)


@pytest.fixture
def erased(erased_office: Copies) -> Iterator[Office]:
    """A copy of the office after Zofia's erasure."""
    with erased_office.copy() as office:
        yield office


@pytest.fixture(scope="session")
def erasure_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ErasureWorld]:
    """A cluster of its own, in whose files nobody else's tests write anything, and which may be killed."""
    cluster = Postgres(tmp_path_factory.mktemp("cluster"), free_port(), {"autovacuum": "off", "fsync": "off"})
    location = cluster.start()
    install(cluster.url("postgres"), PASSWORDS)
    yield ErasureWorld(cluster, location, tmp_path_factory.mktemp("homes"))
    cluster.stop()
    delete_data(cluster.home)


@contextmanager
def _made_once(postgres: Postgres, template: str, folder: Path, home: Path | None = None) -> Iterator[Copies]:
    """An office to be filled or erased, and copied then. Nothing is changed for tests that only look at it."""
    made = itertools.count(1)

    @contextmanager
    def copied(template: str, home: Path | None) -> Iterator[Office]:
        name, to = copy_database(postgres, template), folder / f"home_{next(made)}"
        if home:
            shutil.copytree(home, to)
        yield Office(as_role(postgres.url(name), "onefold_loader"), to)
        drop_database(postgres, name)

    @contextmanager
    def in_use() -> Iterator[Office]:
        with copied(original.database, original.home) as office, _quickly(office):
            yield office

    with copied(template, home) as original:
        yield Copies(original, in_use)


@contextmanager
def _quickly(office: Office) -> Iterator[None]:
    with at_home(office.home), pytest.MonkeyPatch.context() as patch:
        _judge_nothing(patch)
        _leave_log_alone(patch)
        yield


def _judge_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gate_step, "evaluate_suite", lambda *_: [])


def _leave_log_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lifecycle, "renew_log", lambda connection: 0)
