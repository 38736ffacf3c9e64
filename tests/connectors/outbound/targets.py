"""Stand-ins as targets, and the ways in which their answers go wrong: the same table for every protocol over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import pytest
import requests
from _pytest.mark import ParameterSet
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.reader import read_systems
from onefold.catalog.system import System
from onefold.connectors.outbound.contract import Change, Kind, Outbound, Outcome, Place, Result
from onefold.connectors.outbound.registry import open_outbound
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.platform.postgres import free_port

TIMEOUT = 1.0
SECRET = "Małgorzata Źdźbło"
"""A personal value: it may stand in no outcome."""


@dataclass(frozen=True)
class Wrong:
    """A way in which the answer to a create goes wrong: what is then known, and how many records the target has at once
    and in the end."""

    fault: dict[str, object]
    result: Result
    now: int
    later: int = -1

    @property
    def in_the_end(self) -> int:
        return self.now if self.later < 0 else self.later


WRONG = {
    "the answer is lost": Wrong({"kind": "lost_answer"}, Result.AMBIGUOUS, 1),
    "it is done after we have gone": Wrong({"kind": "late_commit", "seconds": 1.6}, Result.AMBIGUOUS, 0, 1),
    "it is done, and the answer is 500": Wrong({"kind": "error_after_commit", "code": 500}, Result.AMBIGUOUS, 1),
    "it is done, and the answer is 502": Wrong({"kind": "error_after_commit", "code": 502}, Result.AMBIGUOUS, 1),
    "the answer is cut": Wrong({"kind": "cut_body"}, Result.AMBIGUOUS, 1),
    "it is not done, and the answer is 500": Wrong({"kind": "status", "code": 500}, Result.AMBIGUOUS, 0),
    "503 without a word of when": Wrong({"kind": "status", "code": 503}, Result.AMBIGUOUS, 0),
    "a web page with 200": Wrong({"kind": "html"}, Result.AMBIGUOUS, 0),
    "too many requests": Wrong({"kind": "rate_limit", "retry_after": 1}, Result.NOT_SENT, 0),
    "400": Wrong({"kind": "status", "code": 400, "body": SECRET}, Result.REFUSED, 0),
    "403": Wrong({"kind": "status", "code": 403, "body": SECRET}, Result.REFUSED, 0),
    "409": Wrong({"kind": "status", "code": 409, "body": SECRET}, Result.REFUSED, 0),
    "the sign-in is not accepted": Wrong(
        {"kind": "status", "code": 401, "body": SECRET, "times": -1}, Result.NOT_SENT, 0
    ),
}
BRIEF = (
    "the answer is lost",
    "it is done after we have gone",
    "it is done, and the answer is 500",
    "a web page with 200",
    "too many requests",
    "403",
    "the sign-in is not accepted",
)
"""Those that tell one protocol's reading of answers from another's; test_rest.py has all of them in every run."""


def wrong_cases(*, without: str = "") -> list[ParameterSet]:
    """The names of WRONG, of which those that are not BRIEF run with --matrix full."""
    return [
        pytest.param(name, marks=[] if name in BRIEF else [pytest.mark.full_matrix])
        for name in WRONG
        if name != without
    ]


class Wrongdoer(Protocol):
    """A stand-in whose answers go wrong on demand."""

    url: str

    def fault(self, **fault: object) -> None: ...

    def clear(self) -> None: ...


@dataclass
class Target:
    """One object of a stand-in. `count` says how many records it has with a reference, asked without our code."""

    sandbox: Wrongdoer
    system: str
    protocol: str
    object: str
    key: str
    reference: str
    kinds: dict[str, Kind]
    count: Callable[[str], int]
    login: str
    below: str = ""
    settings: dict[str, object] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)
    of_test: System | None = None

    def open(self, *, port: int | None = None) -> Outbound:
        url = f"http://127.0.0.1:{port}" if port else self.sandbox.url
        endpoint = Endpoint(f"{url}{self.below}", self.login, "sandbox-secret", {"rate": "100000/s", **self.extra})
        place = Place(
            self.system,
            self.of_catalogue(),
            self.object,
            self.key,
            self.reference,
            self.kinds,
            timedelta(seconds=3),
            settings=self.settings,
        )
        return open_outbound(
            self.protocol,
            place,
            endpoint,
            self.attempts.append,
            limiter=MemoryLimiter(),
            breakers=SyncCircuitBreakerFactory(default_threshold=1000),
            sleep=lambda _: None,
        )

    def of_catalogue(self) -> System:
        system = self.of_test or read_systems()[self.system]
        limits = system.limits.model_copy(update={"timeout": timedelta(seconds=TIMEOUT), "attempts": 2})
        return system.model_copy(update={"limits": limits})

    def write(self, outbound: Outbound, change: Change) -> Outcome:
        (outcome,) = outbound.apply([change])
        assert outcome.id == change.id
        assert SECRET not in str(outcome) and "sandbox-secret" not in str(outcome)
        return outcome

    def create_in_vain(self, outbound: Outbound, change: Change, wrong: Wrong, method: str) -> None:
        """The change is created while its answer goes wrong: the outcome is true, now and in the end."""
        before = len(self.attempts)
        self.sandbox.fault(system=self.system, path=f"{method} ", **wrong.fault)
        try:
            outcome = self.write(outbound, change)
            sent = [each for each in self.attempts[before:] if each.method == method and "token" not in each.path]
            assert len(sent) <= (2 if wrong.fault.get("code") == 401 else 1), "a write is never sent again blindly"
            assert (outcome.result, self.count(change.reference)) == (wrong.result, wrong.now)
            assert outcome.reason and self.system in outcome.reason
            deadline = time.monotonic() + 5
            while self.count(change.reference) != wrong.in_the_end and time.monotonic() < deadline:
                time.sleep(0.05)
            assert self.count(change.reference) == wrong.in_the_end == len(outbound.find([change.reference]))
        finally:
            self.sandbox.clear()

    def create_where_nobody_is(self, change: Change) -> None:
        with self.open(port=free_port()) as outbound:
            assert self.write(outbound, change).result is Result.NOT_SENT
        assert self.count(change.reference) == 0


def listed(url: str, login: str, **params: str) -> dict:
    """What a stand-in says to a question, asked without our code."""
    answer = requests.get(url, params=params, auth=(login, "sandbox-secret"), timeout=10)
    assert answer.ok, answer.text
    return answer.json()
