"""One sandbox for the suite, and warehouses that begin where a test begins: before or after a stream's first load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from onefold.platform.postgres import Postgres
from onefold.platform.sandbox_database import NAMES, create_databases, reader
from onefold.platform.secrets import load_secrets
from sandbox.process import Sandbox, running
from tests.acceptance.bench import Bench, Observed
from tests.acceptance.streams import ALL, Listed
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database, end_sessions

COMPANIES = 240
SMALL_PAGES = {
    "SANDBOX_SF_BATCH": "30",
    "SANDBOX_SALESFORCE_BULK": "18",
    "SANDBOX_SAP_PAGE": "18",
    "SANDBOX_HR_PAGE": "20",
    "SANDBOX_KEYCLOAK_PAGE": "18",
    "SANDBOX_STRIPE_PAGE": "12",
    "SANDBOX_OPENAI_PAGE": "30",
    "SANDBOX_ANTHROPIC_PAGE": "30",
    "SANDBOX_KSEF_PAGE": "25",
    "SANDBOX_MICROSOFT365_PAGE": "20",
    "SANDBOX_MICROSOFT365_BUSY": "5",
    "SANDBOX_SHOP_POINTS": "1e9",
    "SANDBOX_KSEF_PART": "16000",
    "SANDBOX_ACCOUNTING_PAGE": "30",
    "SANDBOX_SAP_IDOC_PAGE": "20",
}


@dataclass
class Stock:
    """Warehouses to copy: to load the same for each test again would take minutes."""

    postgres: Postgres
    sandbox: Sandbox
    homes: Path
    held: dict[tuple[Listed, ...], str] = field(default_factory=dict)
    seen: dict[Listed, Observed] = field(default_factory=dict)

    def holding(self, streams: tuple[Listed, ...]) -> str:
        """The name of a warehouse into which these streams were loaded from the base world, in their order."""
        if not streams:
            return TEMPLATE
        if streams not in self.held:
            name = self._copy(self.holding(streams[:-1]))
            self._bench(name).load(streams[-1])
            self.held[streams] = name
        return self.held[streams]

    @contextmanager
    def bench(self, streams: tuple[Listed, ...]) -> Iterator[Bench]:
        """A warehouse of the test's own that holds these streams."""
        name = self._copy(self.holding(streams))
        yield self._bench(name)
        drop_database(self.postgres, name)

    def read_only(self, streams: tuple[Listed, ...]) -> Bench:
        """The warehouse itself that holds these streams, for a test that writes nothing."""
        return self._bench(self.holding(streams))

    def undisturbed(self, listed: Listed) -> Observed:
        """What one load of the stream from the base world leaves."""
        if listed not in self.seen:
            self.seen[listed] = self.read_only((*listed.naming, listed)).observed(listed)
        return self.seen[listed]

    def _bench(self, name: str) -> Bench:
        return Bench(self.sandbox, self.postgres.url(name), self.homes / name)

    def _copy(self, template: str) -> str:
        end_sessions(self.postgres, template)
        return copy_database(self.postgres, template, "a")


@pytest.fixture(scope="session")
def sandbox(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The real sandbox process over a small world, with pages so small that every stream has several."""
    create_databases(postgres.url(), load_secrets(postgres.home).database)
    filled = {f"SANDBOX_{name.upper()}_URL": postgres.url(name, name) for name in NAMES}
    read = {name: postgres.url(name, reader(name)) for name in NAMES}
    state = tmp_path_factory.mktemp("sandbox")
    with running(state, COMPANIES, environment=SMALL_PAGES | filled, databases=read) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def stock(postgres: Postgres, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return Stock(postgres, sandbox, tmp_path_factory.mktemp("homes"))


@pytest.fixture(autouse=True)
def surroundings(sandbox: Sandbox) -> Iterator[None]:
    """Small pages where the engine decides on their size, and the base world afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        for listed in ALL:
            if listed.case.small_pages:
                patch.setattr(*listed.case.small_pages)
        yield
    sandbox.control("reset")


@pytest.fixture
def empty(stock: Stock, listed: Listed) -> Iterator[Bench]:
    """A warehouse in which the stream has never been loaded; what a look-up is asked about is there."""
    with stock.bench(listed.naming) as bench:
        yield bench


@pytest.fixture
def loaded(stock: Stock, listed: Listed) -> Iterator[Bench]:
    """A warehouse in which the stream was loaded once, undisturbed, from the base world."""
    with stock.bench((*listed.naming, listed)) as bench:
        yield bench


@pytest.fixture
def empty_read_only(stock: Stock, listed: Listed) -> Bench:
    """Like `empty`, without a copy: the test writes nothing."""
    return stock.read_only(listed.naming)


@pytest.fixture
def loaded_read_only(stock: Stock, listed: Listed) -> Bench:
    """Like `loaded`, without a copy: the test writes nothing."""
    return stock.read_only((*listed.naming, listed))


@pytest.fixture
def undisturbed(stock: Stock, listed: Listed) -> Observed:
    """What one undisturbed load of the base world leaves."""
    return stock.undisturbed(listed)
