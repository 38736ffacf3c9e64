"""Two providers, and a router that asks them within a budget."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal

import psycopg
import pytest
from psycopg.rows import dict_row
from purgatory import SyncCircuitBreakerFactory

from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.llm.configuration import Budget, Price, ProviderSetting
from onefold.llm.ledger import CallLedger
from onefold.llm.prompt import Prompt, make_prompt
from onefold.llm.provider import Provider
from onefold.llm.router import Router
from tests.http.web_server import serving
from tests.llm.chat_server import KEY, ChatServer

PRICE = Price(Decimal("0.15"), Decimal("0.60"), "USD")
PLENTY = Budget(1_000_000, Decimal(20), "USD")


class Models:
    """Two providers, each with its server, and the ledger of one warehouse."""

    def __init__(self, url: str, servers: tuple[ChatServer, ...], stack: ExitStack) -> None:
        self.url = url
        self.servers = servers
        self._stack = stack

    def setting(self, place: int, price: Price | None = PRICE) -> ProviderSetting:
        endpoint = Endpoint(f"{self.servers[place].web.url}/v1", None, KEY, {"rate": "100000/s"})
        return ProviderSetting(("llm", "llm_second")[place], endpoint, f"model-{place}", price, "max_tokens")

    def router(
        self,
        budget: Budget = PLENTY,
        settings: tuple[ProviderSetting, ...] | None = None,
        threshold: int = 100,
        timeout: float = 5,
    ) -> Router:
        connection = self._stack.enter_context(psycopg.connect(self.url, autocommit=True))
        breakers = SyncCircuitBreakerFactory(default_threshold=threshold, default_ttl=3600)
        providers = [
            Provider(each, timeout=timeout, limiter=MemoryLimiter(), breakers=breakers)
            for each in settings or (self.setting(0), self.setting(1))
        ]
        for each in providers:
            self._stack.callback(each.close)
        return Router(connection, CallLedger(connection, budget, "os:tester"), providers)

    def calls(self) -> list[dict[str, object]]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute("select * from ops.llm_call order by call_id").fetchall()

    def query(self, text: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(text, values).fetchall()


@pytest.fixture
def models(loader_url: str) -> Iterator[Models]:
    with ExitStack() as stack:
        servers = tuple(ChatServer(stack.enter_context(serving())) for _ in range(2))
        yield Models(loader_url, servers, stack)


def question(number: int = 0) -> Prompt:
    return make_prompt("explain", "crm", "Explain it.", {"number": number}, 100)
