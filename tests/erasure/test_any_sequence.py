"""Erasures at any moment among the operations: nothing of the person is left, and everybody's rows are as without them.

What a person's own record keeps (its key, its figures) is compared too, so an erasure that lost a row would show.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.audit import entries_from_database, verify
from onefold.erasure import lifecycle as erasures
from onefold.erasure.wipe import renew_log, rewrite_tables
from onefold.load import gate_step
from onefold.mapping.golden import tables_sql
from onefold.platform.postgres import Postgres
from onefold.platform.postgres_account import locate
from onefold.rollback import late_readings, lifecycle
from onefold.warehouse.connection import connect
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.effort import TORTURE
from tests.erasure.erasing import ErasingWorld, client
from tests.erasure.office import bytes_on_disk, traces
from tests.operations import test_any_sequence as operations
from tests.operations.judging import judged_by_credit
from tests.operations.truth import alive
from tests.retention.conftest import Warehouse, said
from tests.roles import as_role

EXAMPLES = 500 if TORTURE else 2


@dataclass(frozen=True)
class Erase:
    """The person of this key is erased."""

    key: str


@pytest.fixture(scope="module")
def world(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], ErasingWorld]]:
    """Worlds of their own stream, all in one warehouse. In the end its audit chain is whole, and once tables and log
    are written anew, which each erasure would do, no file and no dump has anybody who was erased."""
    folder, name = tmp_path_factory.mktemp("sequences"), copy_database(postgres, TEMPLATE)
    warehouse_url = postgres.url(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEFOLD_HOME", str(folder / "home"))
        yield from worlds(postgres, warehouse_url, folder, patch)
    drop_database(postgres, name)


def worlds(
    postgres: Postgres, warehouse_url: str, folder: Path, patch: pytest.MonkeyPatch
) -> Iterator[Callable[..., ErasingWorld]]:
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

    def make(kind: Callable[..., ErasingWorld] = ErasingWorld, **more: object) -> ErasingWorld:
        made.append(kind(loader_url, folder, warehouse_url, **more))
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
