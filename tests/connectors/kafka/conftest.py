"""A broker, a topic of it, and a warehouse that it is loaded into."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaConsumer
from kafka import TopicPartition as Place

from onefold.catalog.system import System
from onefold.http.endpoint import Endpoint
from tests.connectors.kafka_broker import running
from tests.connectors.queue_loads import QueueLoads, orders, queue_loads

ONE_BY_ONE = {"batch.num.messages": 1, "linger.ms": 0}
"""Asked where a partition ends, the broker says where its last batch begins, and one message more."""


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("broker")) as address:
        yield address


@dataclass
class Topic:
    """A topic of orders; its producer writes with Kafka's C client, and its log is read back with kafka-python."""

    name: str
    address: str
    loads: QueueLoads
    producer: Producer = field(init=False)
    admin: AdminClient = field(init=False)

    def __post_init__(self) -> None:
        self.admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})

    def create(self, partitions: int) -> None:
        """The producer is another one then: it would remember the partitions of the topic before."""
        self.admin.create_topics([NewTopic(self.name, partitions, 1)])[self.name].result(10)
        self.producer = Producer({"bootstrap.servers": self.address, **ONE_BY_ONE, "log_level": 0})

    def delete(self) -> None:
        self.admin.delete_topics([self.name])[self.name].result(10)

    def system(self, **more: object) -> System:
        return orders("kafka", {"topic": self.name} | dict(more.pop("request", {})), **more)

    def add(self, *orders: tuple[str, int]) -> None:
        self.send(*((key.encode(), msgspec.json.encode({"id": key, "number": number})) for key, number in orders))

    def send(self, *messages: tuple[bytes | None, bytes | None]) -> None:
        for key, value in messages:
            self.producer.produce(self.name, key=key, value=value)
        assert self.producer.flush(30) == 0

    def log(self, partitions: int) -> list[tuple[str, int]]:
        """Key and number of every message, partition by partition, as another client reads them."""
        reader = KafkaConsumer(bootstrap_servers=self.address, enable_auto_commit=False, consumer_timeout_ms=3000)
        places = [Place(self.name, partition) for partition in range(partitions)]
        ends = reader.end_offsets(places)
        found = []
        for place in places:
            reader.assign([place])
            reader.seek_to_beginning(place)
            while reader.position(place) < ends[place]:
                for message in reader.poll(1000).get(place, ()):
                    order = msgspec.json.decode(message.value)
                    found.append((order["id"], order["number"]))
        reader.close()
        return found


@pytest.fixture
def topic(broker: str, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Topic:
    """A topic of three partitions."""
    return made(broker, warehouse_url, tmp_path, monkeypatch)


def made(address: str, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, partitions: int = 3) -> Topic:
    monkeypatch.setenv("ONEFOLD_HOME", str(folder / "home"))
    loads = queue_loads(url, folder, Endpoint(f"kafka://{address}", None, None))
    topic = Topic(f"orders-{uuid.uuid4().hex}", address, loads)
    topic.create(partitions)
    return topic
