"""A real RabbitMQ's queue and stream are loaded; all else about them is tests/peers/test_rabbitmq.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors.rabbit_orders import Rabbit, rabbit_orders
from tests.connectors.rabbit_server import programs, running


def test_messages_of_a_queue_and_of_a_stream_are_loaded_once_and_in_order(
    warehouse_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "rabbit", programs(tmp_path_factory.mktemp("rabbit_programs"))) as port:
        for kind in ("quorum", "stream"):
            rabbit: Rabbit = rabbit_orders(port, kind, warehouse_url, tmp_path, monkeypatch)
            system = rabbit.system()
            rabbit.add(("a", 1), ("b", 2), ("a", 3))
            assert rabbit.loads.load(system).rows_read == 3
            rabbit.add_bodies(f"no JSON of a {kind}".encode(), b'{"id": "b", "number": 4}')
            load = rabbit.loads.load(system)
            assert (load.rows_read, load.rows_quarantined) == (2, 1)
            assert rabbit.loads.load(system).rows_read == 0
            assert rabbit.loads.published() == {"a": 3, "b": 4}
            assert rabbit.loads.lag(system).lag_messages == 0
            rabbit.loads.execute("delete from ops.stream_checkpoint; truncate staging.test_queue__order, inbox.event")
