"""What a queue's YAML and its Airflow connection must say."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from onefold.orchestration.tasks.connections import endpoint
from tests.connectors.queue_loads import orders


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ({"conn_type": "redis", "host": "queue.example", "port": 6379}, "redis://queue.example:6379/"),
        ({"conn_type": "redis", "host": "rediss://queue.example:6380"}, "rediss://queue.example:6380"),
        ({"conn_type": "amqp", "host": "queue.example", "port": 5672}, "amqp://queue.example:5672/"),
        ({"conn_type": "amqp", "host": "queue.example", "schema": "shop"}, "amqp://queue.example/shop"),
    ],
)
def test_the_connection_of_a_queue_says_its_kind_and_no_secret(
    connection: dict[str, object], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_QUEUE", json.dumps(connection | {"login": "reader", "password": "s3cret"}))
    found = endpoint("shop_queue")
    assert (found.url, found.login, found.password) == (url, "reader", "s3cret")


@pytest.mark.parametrize(
    ("protocol", "request_", "match"),
    [
        ("redis_stream", {}, "needs request.stream"),
        ("rabbitmq", {}, "needs request.queue or request.stream, one of them"),
        ("rabbitmq", {"queue": "a", "stream": "b"}, "needs request.queue or request.stream, one of them"),
    ],
)
def test_a_queue_is_named_once(protocol: str, request_: dict[str, str], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        orders(protocol, request_)
