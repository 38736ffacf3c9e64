"""A queue or stream of orders in a real RabbitMQ, and a warehouse that it is loaded into."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pika
import pytest

from onefold.catalog.system import System
from onefold.http.endpoint import Endpoint
from onefold.load.ledger import Load
from tests.connectors.queue_loads import QueueLoads, orders, queue_loads
from tests.connectors.rabbit_server import open_broker
from tests.roles import as_role


@dataclass
class Rabbit:
    """The producer's side, and the loads."""

    name: str
    kind: str
    port: int
    loads: QueueLoads

    def system(self, **more: object) -> System:
        return orders("rabbitmq", {"stream" if self.kind == "stream" else "queue": self.name}, **more)

    def load(self) -> Load:
        """In pages of a few messages."""
        return self.loads.load(self.system(next={"size": 7}))

    def declare(self, **arguments: object) -> None:
        with open_broker(self.port) as connection:
            given = {"x-queue-type": self.kind, **arguments}
            connection.channel().queue_declare(self.name, durable=True, arguments=given)

    def delete(self) -> None:
        with open_broker(self.port) as connection:
            connection.channel().queue_delete(self.name)

    def add(self, *orders: tuple[str, int], ids: bool = True) -> None:
        bodies = [msgspec.json.encode({"id": key, "number": number}) for key, number in orders]
        self.add_bodies(*bodies, ids=ids)

    def add_bodies(self, *bodies: bytes, ids: bool = True, headers: Mapping[str, object] | None = None) -> None:
        """Each is confirmed by the broker."""
        with open_broker(self.port) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            for body in bodies:
                named = uuid.uuid4().hex if ids else None
                properties = pika.BasicProperties(delivery_mode=2, message_id=named, headers=dict(headers or {}))
                channel.basic_publish("", self.name, body, properties)

    def waiting(self) -> int:
        with open_broker(self.port) as connection:
            return connection.channel().queue_declare(self.name, passive=True).method.message_count


def rabbit_orders(port: int, kind: str, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Rabbit:
    monkeypatch.setenv("ONEFOLD_HOME", str(folder / "home"))
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", as_role(url, "onefold_loader"))
    loads = queue_loads(url, folder, Endpoint(f"amqp://127.0.0.1:{port}//", "guest", "guest"))
    rabbit = Rabbit(f"orders_{uuid.uuid4().hex}", kind, port, loads)
    rabbit.declare()
    return rabbit
