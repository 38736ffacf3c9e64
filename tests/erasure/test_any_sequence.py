"""Erasures at any moment among the operations: nothing of the person is left, and everybody's rows are as without them.

What a person's own record keeps (its key, its figures) is compared too, so an erasure that lost a row would show.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.audit import entries_from_database, verify
from onefold.catalog.entity import Entity
from onefold.catalog.reader import Catalog
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.connectors.window import Window
from onefold.erasure import lifecycle as erasures
from onefold.erasure.case_file import open_case
from onefold.erasure.request import ErasureRequest
from onefold.erasure.wipe import renew_log, rewrite_tables
from onefold.load import gate_step
from onefold.load.ledger import Run
from onefold.mapping.golden import tables_sql
from onefold.platform.postgres import Postgres
from onefold.platform.postgres_account import locate
from onefold.privacy.values import email
from onefold.rollback import late_readings, lifecycle
from onefold.warehouse.connection import connect
from tests.approvals import answer
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.effort import TORTURE
from tests.erasure.office import bytes_on_disk, traces
from tests.operations import test_any_sequence as operations
from tests.operations.judging import judged_by_credit
from tests.operations.truth import Load, Truth, alive
from tests.operations.world import EVERYTHING, World
from tests.retention.conftest import Warehouse, said
from tests.roles import as_role

EXAMPLES = 500 if TORTURE else 2


@dataclass(frozen=True)
class Erase:
    """The person of this key is erased."""

    key: str


class ErasingTruth(Truth):
    """A person who was erased is judged by no suite any more."""

    def __init__(self) -> None:
        super().__init__()
        self.erased: set[str] = set()

    def erase(self, key: str) -> None:
        """What was read late of the key, and never judged, will not be."""
        self.erased.add(key)
        for load in self.loads.values():
            if key in load.reads and load.reads[key].good is None:
                load.reads[key] = replace(load.reads[key], good=True)

    def add(self, load: Load, least_credit: int) -> None:
        """As without erasures, but for the keys that were erased."""
        mine = {key: read for key, read in load.reads.items() if key in self.erased}
        load.reads = {key: read for key, read in load.reads.items() if key not in mine}
        super().add(load, least_credit)
        judged = load.reads
        load.reads = mine
        del self.loads[load.number]
        super().add(load, EVERYTHING)
        load.reads = {**judged, **load.reads}


class ErasingWorld(World):
    """A stream in which each record is of a person with an address."""

    def __init__(self, url: str, suites: Path, owner_url: str) -> None:
        super().__init__(url, suites)
        self.owner_url = owner_url
        self.truth = ErasingTruth()
        self.people = Catalog(systems=self.catalog.systems, entities={"client": client(self.shop.stream)})

    def address(self, key: str) -> str:
        """By which the person of the key is known; every world's are others."""
        return f"{key}.{self.shop.stream}@person.example"

    def erase(self, key: str) -> None:
        """Plan, approve and execute; the person may not be in the warehouse at all."""
        case = open_case(frozenset({email(self.address(key))}))
        run = Run("erase", f"manual__{case.name}", f"airflow:by:engineer/erase/manual__{case.name}")
        number, _ = erasures.plan_erasure(self.shop.url, self.people, ErasureRequest(case.name, "Art. 17"), run)
        answer(self.shop.url, f"erasure:{number}", "approver", approved=True)
        done = erasures.execute_erasure(self.shop.url, self.people, run)
        if done is not None and done.records:
            self.truth.erase(key)

    def _answer(self, window: Window, token: str | None) -> Iterator[Page]:
        for page in super()._answer(window, token):
            records = [Record(each.key, each.cursor, each.deleted, self._with_address(each)) for each in page.records]
            yield replace(page, records=records)

    def _with_address(self, read: Record) -> bytes:
        return read.payload.replace(f"Name {read.key}".encode(), self.address(read.key).encode())


def client(stream: str) -> Entity:
    """The entity that says by what the stream's persons are known."""
    return Entity.model_validate(
        {
            "entity": "client",
            "title": "Client",
            "version": 1,
            "trust": ["shop"],
            "identity": {"strong": ["email"]},
            "person": {"identifiers": ["email"]},
            "attributes": {
                "email": {
                    "meaning": "the address",
                    "personal": "contact",
                    "sources": {f"shop.{stream}": {"field": "name", "transform": "email"}},
                }
            },
        }
    )


@pytest.fixture(scope="module")
def world(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], ErasingWorld]]:
    """Worlds of their own stream, all in one warehouse. In the end its audit chain is whole, and once tables and log
    are written anew, which each erasure would do, no file and no dump has anybody who was erased."""
    folder, name = tmp_path_factory.mktemp("sequences"), copy_database(postgres, TEMPLATE)
    warehouse_url = postgres.url(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEFOLD_HOME", str(folder / "home"))
        yield from _worlds(postgres, warehouse_url, folder, patch)
    drop_database(postgres, name)


def _worlds(
    postgres: Postgres, warehouse_url: str, folder: Path, patch: pytest.MonkeyPatch
) -> Iterator[Callable[[], ErasingWorld]]:
    loader_url = as_role(warehouse_url, "onefold_loader")
    for module in (gate_step, late_readings):
        patch.setattr(module, "evaluate_suite", judged_by_credit)
    gate_late = lifecycle.gate_late_readings
    patch.setattr(lifecycle, "gate_late_readings", lambda *given: gate_late(*given, suites=folder))
    touched: set[str] = set()
    patch.setattr(erasures, "rewrite_tables", lambda connection, tables: touched.update(tables))
    patch.setattr(erasures, "renew_log", lambda connection: 0)
    patch.setattr(erasures, "read_targets", lambda catalog: {})  # the project's are of its own entities
    with psycopg.connect(warehouse_url) as owner:
        owner.execute(tables_sql(client("customer")))
    made: list[ErasingWorld] = []

    def make() -> ErasingWorld:
        made.append(ErasingWorld(loader_url, folder, warehouse_url))
        return made[-1]

    yield make
    addresses = tuple(each.address(key) for each in made for key in sorted(each.truth.erased))
    with connect(loader_url, autocommit=True) as connection:
        assert verify(entries_from_database(connection)).ok
        rewrite_tables(connection, touched)
        renew_log(connection)
    if addresses:
        assert traces(warehouse_url, addresses) == []
        location = locate(postgres.home)
        assert bytes_on_disk(location.data, addresses) == []
        assert bytes_on_disk(folder / "home", addresses) == []
        dump = subprocess.run([location.binaries / "pg_dump", warehouse_url], check=True, capture_output=True)
        assert [address for address in addresses if address.encode() in dump.stdout] == []


def leaves_nothing_and_nobody_elses_out(world: ErasingWorld, sequence: list[operations.Step | Erase]) -> None:
    warehouse = Warehouse(world.owner_url, world.shop.url, said(waiting="P9Y"))  # the truth is asked for what waits
    with closing(world):
        for step in sequence:
            if isinstance(step, Erase):
                world.erase(step.key)
                has_nothing_of_the_erased(world)
            else:
                operations.do(world, warehouse, step)
            world.compare()
        world.bring_all()
        world.compare()
        assert world.seen.current() == alive(world.source)
        has_nothing_of_the_erased(world)


def has_nothing_of_the_erased(world: ErasingWorld) -> None:
    if world.truth.erased:
        addresses = tuple(map(world.address, sorted(world.truth.erased)))
        found = traces(world.owner_url, addresses)
        assert [each for each in found if not each.startswith("pg_statistic")] == []  # rewrite_tables() renews it


Sync, Change, Rollback, Undo, Replay = (
    *(operations.Sync, operations.Change, operations.Rollback, operations.Undo, operations.Replay),
)
SEQUENCES = {
    "what waits in quarantine is replayed after the erasure": [
        *(Change("a", -1), Sync(), Change("b", 1), Erase("a"), Replay(), Change("a", 1, 12), Sync()),
    ],
    "a rollback and its undo move readings that were erased": [
        *(Change("a", 1), Sync(), Change("a", 2, 12), Sync(), Rollback((0,)), Erase("a"), Undo(), Rollback((1,))),
    ],
    "the deletion of an erased record comes with the time and content of its last version": [
        *(Change("a", 1), Sync(), Change("b", 1, 2, 1), Sync(), Erase("a"), Change("a", 1, 1, 3, True), Sync()),
    ],
    "a record that was deleted and erased comes back with the time and content of its deletion": [
        *(Change("a", 1, 0, 0, True), Sync(), Change("b", 1, 2, 1), Sync(), Erase("a"), Change("a", 1, 1, 3), Sync()),
    ],
    "a dry run is published after the erasure": [
        *(Change("a", 1), operations.DryRun(0, 60), Erase("a"), operations.Decide(), Change("b", 1), Sync()),
    ],
}


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
def test_an_erasure_among_other_operations(
    world: Callable[[], ErasingWorld], sequence: list[operations.Step | Erase]
) -> None:
    leaves_nothing_and_nobody_elses_out(world(), sequence)


@pytest.mark.timeout(7200)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(
    sequence=st.lists(
        st.one_of(operations.STEPS, operations.STEPS, operations.STEPS, st.builds(Erase, st.sampled_from("aab"))),
        min_size=3,
        max_size=16,
    )
)
def test_erasures_in_any_sequence_leave_nothing_and_lose_nothing_else(
    world: Callable[[], ErasingWorld], sequence: list[operations.Step | Erase]
) -> None:
    leaves_nothing_and_nobody_elses_out(world(), sequence)
