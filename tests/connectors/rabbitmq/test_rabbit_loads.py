"""A real RabbitMQ's queue and stream are loaded; all else about them is tests/peers/test_rabbitmq.py."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from onefold.connectors.rabbitmq.peek import BrokerPeek
from tests.connectors.rabbit_orders import Rabbit, rabbit_orders
from tests.connectors.rabbit_server import programs, running


def published(rabbit: Rabbit) -> dict[str, str]:
    return {"": rabbit.loads.checkpoint()}


def has_more(peek: BrokerPeek, checkpoints: dict[str, str]) -> bool:
    """Asked as the trigger does, for a second: the broker sends a stream's message when it can."""
    until = time.monotonic() + 1
    while not (found := peek.has_more("order", checkpoints)) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def test_messages_of_a_queue_and_of_a_stream_are_seen_loaded_once_and_in_order(
    warehouse_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "rabbit", programs(tmp_path_factory.mktemp("rabbit_programs"))) as port:
        for kind in ("quorum", "stream"):
            rabbit: Rabbit = rabbit_orders(port, kind, warehouse_url, tmp_path, monkeypatch)
            system = rabbit.system()
            with BrokerPeek(system, rabbit.loads.endpoint) as peek:
                assert not has_more(peek, {})
                rabbit.add(("a", 1), ("b", 2), ("a", 3))
                assert has_more(peek, {})
                assert rabbit.loads.load(system).rows_read == 3
                assert not has_more(peek, published(rabbit))
                rabbit.add_bodies(f"no JSON of a {kind}".encode(), b'{"id": "b", "number": 4}')
                assert has_more(peek, published(rabbit)), kind
                assert has_more(peek, published(rabbit)), "looking takes nothing away"
                load = rabbit.loads.load(system)
                assert (load.rows_read, load.rows_quarantined) == (2, 1)
                assert rabbit.loads.load(system).rows_read == 0
                assert not has_more(peek, published(rabbit))
            assert rabbit.loads.published() == {"a": 3, "b": 4}
            assert rabbit.loads.lag(system).lag_messages == 0
            rabbit.loads.execute("delete from ops.stream_checkpoint; truncate staging.test_queue__order, inbox.event")
