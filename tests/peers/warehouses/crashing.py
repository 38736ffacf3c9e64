"""Deliveries to an emulated warehouse that die at a call, and readers beside them; in processes of their own."""

from __future__ import annotations

import time
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event

from tests.deliver.crashing import CUSTOMERS, READ, Dying
from tests.deliver.world import World
from tests.peers.warehouses.emulators import There


def deliver_and_die(url: str, there: There, at: int, calls: Synchronized) -> None:
    """Deliver; dies at the `at`-th call. `calls` then has how many there were, where it did not."""
    dying = Dying(there.target, at)
    World(url).deliver(dying)
    calls.value = dying.calls


def read_on(there: There, stop: Event, reads: Synchronized, mixtures: Synchronized) -> None:
    """Read until told to stop; counts the answers, and those that are no single publish."""
    while not stop.is_set():
        ((customer, contact, mart, living, counted),) = there.ask(READ)
        with reads:
            reads.value += 1
        if not customer == contact == mart or int(living) != CUSTOMERS or int(counted) != CUSTOMERS:
            with mixtures:
                mixtures.value += 1
        time.sleep(0.05)
