"""Leaves a system alone that keeps failing: purgatory's circuit breaker, made safe for threads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from onefold.errors import OnefoldError
from onefold.http.failure import Again, Unauthorized

# purgatory imports Redis's client wherever that is installed: 0.14 s of each process, for a store that is not used.
_modules: dict[str, object] = vars(sys)["modules"]
_modules.setdefault("redis", None)  # no module can be imported whose place holds None
try:
    from purgatory import SyncCircuitBreakerFactory
    from purgatory.domain.model import OpenedState
finally:
    if _modules["redis"] is None:
        del _modules["redis"]

__all__ = ["BREAKERS", "OpenedState", "SyncCircuitBreakerFactory", "watched"]

BREAKERS = SyncCircuitBreakerFactory(default_threshold=10, default_ttl=60)
"""One breaker per system in each process: open after 10 failed attempts in a row, tried again after 60 s."""

# A refusal and "you ask too much" are answers of a system that is up.
_ANSWERS: list[type[BaseException] | tuple[type[BaseException], Callable[..., bool]]] = [
    OnefoldError,
    Unauthorized,
    (Again, lambda error: error.told_to_wait),
]
# purgatory handles its list of messages without a lock; the call itself runs outside of ours.
_LOCK = threading.Lock()


@contextmanager
def watched(breakers: SyncCircuitBreakerFactory, circuit: str) -> Iterator[None]:
    """Counts what happens inside; raises purgatory's OpenedState instead of entering while the circuit is open."""
    with _LOCK:
        breaker = breakers.get_breaker(circuit, exclude=_ANSWERS)
        breaker.__enter__()
    try:
        yield
    except BaseException as error:
        with _LOCK:
            breaker.__exit__(type(error), error, error.__traceback__)
        raise
    else:
        with _LOCK:
            breaker.__exit__(None, None, None)
