"""What every test may use: one real PostgreSQL for the session, and a fresh warehouse for each test that asks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from xdist.remote import Producer

from onefold.audit import signed_note, signing_key
from onefold.platform.postgres import Postgres, free_port
from onefold.platform.postgres_account import delete_data
from onefold.warehouse.connection import connect
from onefold.warehouse.install import install
from tests.databases import copy_database, drop_database, tablespace_in_memory
from tests.effort import TORTURE
from tests.groups import GroupScheduling
from tests.roles import PASSWORDS, as_role
from tests.scheduler.installation import PATIENCE

pytest_plugins = [
    "tests.browser",
    "tests.kills",
    "tests.scheduler.demo",
    "tests.warehouse.old_release",
    "tests.parsed_dbt",
    "tests.connectors.mariadb",
    "tests.connectors.loaded_database",
]
TEMPLATE = "onefold_template"
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "autovacuum": "off",
    "scram_iterations": "1",
}
"""Nothing has to outlive a power cut; a drop searches every buffer; no worker visits hundreds of databases; and nobody
guesses these passwords: 4,096 iterations are 2 ms of a client's processor at each of some 100,000 connections."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --matrix and --peers."""
    parser.addoption(
        "--matrix",
        choices=("once", "full"),
        default="once",
        help="once: of the cases that prove the same code, the first of each kind; full: every one (docs/testing.md)",
    )
    parser.addoption("--peers", action="store_true", help="also the tests against foreign servers (docs/testing.md)")


def pytest_configure() -> None:
    """One key for the checkpoints of all homes, as machines that share a warehouse have: many tests copy one."""
    os.environ.setdefault(signing_key.GIVEN, signed_note.generate("onefold/audit/tests").text)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what is not asked for: the full matrix, what only `make torture` or `make test-peers` runs."""
    left_out = {"full_matrix"} if config.getoption("matrix") == "once" else set()
    left_out |= set() if TORTURE else {"torture"}
    left_out |= set() if config.getoption("peers") else {"peers"}
    unasked = {item for item in items if any(mark.name in left_out for mark in item.iter_markers())}
    config.hook.pytest_deselected(items=[item for item in items if item in unasked])
    items[:] = [item for item in items if item not in unasked]
    # Repairs in the browser and the pages of the docs come after the tests whose installation they change for good, and
    # what ends that installation after all that need it.
    items.sort(key=_turn)
    for item in items:
        if item.get_closest_marker("scheduler"):
            item.add_marker(pytest.mark.timeout(3 * PATIENCE))


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("scheduler") is None:
        return 0
    if "docs" in item.path.parts:
        return 2
    return {"test_console.py": 1, "test_kill.py": 3}.get(item.path.name, 0)


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: the one with the scheduler's tests waits for most of its time."""
    return min(4, (os.cpu_count() or 1) + 1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling:
    """Tests that share what is expensive to make stay on one worker."""
    return GroupScheduling(config, log)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A real cluster of this test session."""
    server = Postgres(tmp_path_factory.mktemp("postgres"), free_port(), SETTINGS)
    server.start()
    _hash_the_owners_password_anew(server.url("postgres"))
    install(server.url("postgres"), PASSWORDS, TEMPLATE)
    _forget_how_it_was_made(server.url(TEMPLATE))
    with tablespace_in_memory(server):
        yield server
    server.stop()
    delete_data(server.home)


def _hash_the_owners_password_anew(url: str) -> None:
    """By the server's settings, which initdb does not know."""
    owner = conninfo_to_dict(url)
    with psycopg.connect(url) as connection:
        connection.execute(
            sql.SQL("alter role {} password {}").format(
                sql.Identifier(str(owner["user"])), sql.Literal(str(owner["password"]))
            )
        )


def _forget_how_it_was_made(template_url: str) -> None:
    """Begin the audit chain anew: what a test finds in it, the test has done. tests/warehouse proves what installing
    writes there."""
    with psycopg.connect(template_url) as owner:
        owner.execute("alter table audit.event disable trigger event_append_only")
        owner.execute("truncate audit.event")
        owner.execute("alter table audit.event enable always trigger event_append_only")


@contextmanager
def _fresh_warehouse(postgres: Postgres) -> Iterator[str]:
    name = copy_database(postgres, TEMPLATE)
    yield postgres.url(name)
    drop_database(postgres, name)


@pytest.fixture
def warehouse_url(postgres: Postgres) -> Iterator[str]:
    """A fresh warehouse with its whole schema; the superuser's URL."""
    with _fresh_warehouse(postgres) as url:
        yield url


@pytest.fixture
def warehouse_factory(postgres: Postgres) -> Callable[[], AbstractContextManager[str]]:
    """Fresh warehouses, as many as a test wants; each call gives the loader's URL of another one."""

    @contextmanager
    def make() -> Iterator[str]:
        with _fresh_warehouse(postgres) as url:
            yield as_role(url, "onefold_loader")

    return make


@pytest.fixture
def loader_url(warehouse_url: str) -> str:
    """The fresh warehouse, as the role that loads."""
    return as_role(warehouse_url, "onefold_loader")


@pytest.fixture
def loader(loader_url: str) -> Iterator[psycopg.Connection]:
    """A connection as the role that loads; transactions are opened explicitly."""
    with connect(loader_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root folder."""
    return Path(__file__).resolve().parents[1]
