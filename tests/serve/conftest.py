"""The register API over a warehouse with published companies, and registers of the sandbox that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from onefold.http.breaker import SyncCircuitBreakerFactory
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.orchestration.oidc.provider import IdentityProvider
from onefold.platform.postgres import Postgres
from onefold.serve.app import Setup, application
from onefold.serve.clients import SCOPES
from onefold.serve.keys import create_key
from onefold.serve.signing import Signing
from onefold.serve.tokens import Realm
from sandbox.world import Company
from tests.conftest import TEMPLATE
from tests.connectors.registers import KEY, Sandbox, running
from tests.databases import copy_database, drop_database
from tests.roles import as_role
from tests.serve.world import CATALOG, answered, golden, publish

PUBLISHED = 40
"""So many of the sandbox's companies are published; of the others only the registers know."""
SIGNING = Signing(b"a key of the tests with enough characters")


@pytest.fixture(scope="session")
def registers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    systems = ("krs", "crbr", "regon", "vies", "white_list")
    with running(tmp_path_factory.mktemp("registers"), 80, systems) as sandbox:
        yield sandbox


@dataclass
class Api:
    """A running service and its warehouse; `url` is the superuser's."""

    http: TestClient
    url: str
    registers: Sandbox
    all: dict[str, str] = field(repr=False)
    """The header of a client with every scope."""
    companies: dict[str, str] = field(repr=False)
    """The header of a client with the scope companies."""

    def key(self, *scopes: str, rate: int = 100_000, quota: int = 10**9, client: str = "extra") -> dict[str, str]:
        with psycopg.connect(self.url, autocommit=True) as owner:
            made = create_key(owner, client, scopes, rate, quota, None, actor="os:test")
        return {"X-API-Key": made}

    def rows(self, query: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.url, autocommit=True) as owner:
            cursor = owner.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    @property
    def app(self) -> FastAPI:
        """The service itself."""
        assert isinstance(self.http.app, FastAPI)
        return self.http.app

    @property
    def published(self) -> list[Company]:
        return [each for each in self.registers.world.companies[:PUBLISHED] if not each.struck_off and not each.deleted]

    @property
    def others(self) -> list[Company]:
        return [each for each in self.registers.world.companies[PUBLISHED:] if not each.struck_off and not each.deleted]

    @property
    def legal_person(self) -> Company:
        return next(each for each in self.published if each.form == "sp_zoo" and each.status == "active")

    @property
    def sole_trader(self) -> Company:
        return next(each for each in self.published if each.form == "jdg" and each.status == "active")

    @property
    def unpublished(self) -> Company:
        return next(each for each in self.others if each.form == "sp_zoo" and each.status == "active")


Serve = Callable[..., AbstractContextManager[TestClient]]


def serve(
    url: str, sandbox: Sandbox, realm: Realm | None = None, people: IdentityProvider | None = None
) -> AbstractContextManager[TestClient]:
    def endpoint_of(name: str) -> Endpoint:
        password = KEY if name == "regon" else None
        return Endpoint(f"{sandbox.url}/{name}", password=password, extra={"rate": "100000/s,1000000/day"})

    reading, writing = as_role(url, "onefold_api"), as_role(url, "onefold_api_writer")
    app = application(Setup(CATALOG, reading, writing, endpoint_of, realm, SIGNING, MemoryLimiter(), people=people))
    return TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)


@contextmanager
def api_over(postgres: Postgres, sandbox: Sandbox) -> Iterator[Api]:
    name = copy_database(postgres, TEMPLATE)
    url = postgres.url(name)
    publish(url, [golden(each) for each in sandbox.world.companies[:PUBLISHED]])
    answered(url, sandbox.world)
    with psycopg.connect(url, autocommit=True) as owner:
        keys = [
            {"X-API-Key": create_key(owner, client, scopes, 100_000, 10**9, None, actor="os:test")}
            for client, scopes in (("all", SCOPES), ("companies", ("companies",)))
        ]
    with serve(url, sandbox) as http:
        yield Api(http, url, sandbox, *keys)
    drop_database(postgres, name)


@pytest.fixture(scope="module")
def api(postgres: Postgres, registers: Sandbox) -> Iterator[Api]:
    """Of one module, whose tests leave its companies as they are."""
    registers.reset()
    with api_over(postgres, registers) as made:
        yield made


@pytest.fixture
def own_api(postgres: Postgres, registers: Sandbox) -> Iterator[Api]:
    """Of one test, which may change anything."""
    registers.reset()
    with api_over(postgres, registers) as made:
        yield made
    registers.reset()


@pytest.fixture(autouse=True)
def closed_circuits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No circuit that a test has opened holds for the next, and a busy machine is no register that is down."""
    monkeypatch.setattr("onefold.serve.registers.WAIT", 120.0)
    monkeypatch.setattr("onefold.serve.registers.TIMEOUT", timedelta(seconds=60))
    breakers = SyncCircuitBreakerFactory(default_threshold=10, default_ttl=60)
    monkeypatch.setattr("onefold.serve.registers.BREAKERS", breakers)
