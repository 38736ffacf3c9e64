"""A process of its own that asks many questions at once: python -m tests.llm.caller URL PROVIDER FIRST COUNT TOKENS."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg
from purgatory import SyncCircuitBreakerFactory

from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.llm.configuration import Budget, ProviderSetting
from onefold.llm.ledger import BudgetUsedUp, CallLedger
from onefold.llm.prompt import make_prompt
from onefold.llm.provider import Provider
from onefold.llm.router import Router
from tests.llm.chat_server import KEY


def main(url: str, provider: str, first: int, count: int, tokens: int) -> None:
    """Print a line for each question as it ends: answered or refused."""
    setting = ProviderSetting(
        "llm", Endpoint(f"{provider}/v1", None, KEY, {"rate": "100000/s"}), "m", None, "max_tokens"
    )

    def ask(number: int) -> None:
        prompt = make_prompt("explain", "crm", "Explain it.", {"number": number}, 100)
        breakers = SyncCircuitBreakerFactory(default_threshold=100, default_ttl=60)
        with psycopg.connect(url, autocommit=True) as connection:
            ledger = CallLedger(connection, Budget(tokens, None, None), "os:tester")
            router = Router(connection, ledger, [Provider(setting, limiter=MemoryLimiter(), breakers=breakers)])
            try:
                router.ask(prompt, str)
            except BudgetUsedUp:
                print("refused", flush=True)
            else:
                print("answered", flush=True)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(ask, range(first, first + count)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
