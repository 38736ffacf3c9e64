"""The one way out to a Kafka: its client; every question keeps the rates, is tried again, and is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar, Unpack
from urllib.parse import urlsplit

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Again
from onefold.http.persistent import AttemptSettings, Persistent

T = TypeVar("T")
Settings = dict[str, Any]
"""The client's, by librdkafka's names."""

_SIGN_IN = frozenset({KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED})
_RIGHTS = frozenset(
    {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}
    | {KafkaError.GROUP_AUTHORIZATION_FAILED}
)
OUT_OF_RANGE = frozenset({KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET})
_LATER = frozenset(
    {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE}
    | {KafkaError.REQUEST_TIMED_OUT, KafkaError._TIMED_OUT_QUEUE, KafkaError._WAIT_COORD}
    | {KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.BROKER_NOT_AVAILABLE}
)
_OURS = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "isolation.level": "read_committed",
    "auto.offset.reset": "error",
    "allow.auto.create.topics": False,
    "queued.max.messages.kbytes": 16 << 10,
}
"""What the reader relies on, whatever the connection says. The last: kibibytes that are fetched ahead."""
_NOT_THEIRS = frozenset({"rate", "error_cb", "plugin.library.paths", "debug"})
"""What an Airflow connection's extra may hold that is not for the client: code, or none of its settings."""


class Clients:
    """The client's two halves, whose questions wait for `timeout` seconds."""

    def __init__(self, settings: Settings, timeout: float) -> None:
        self.timeout = timeout
        self._settings = settings
        self.consumer = Consumer({"group.id": "onefold", **settings, **_OURS})

    def topic_id(self, topic: str) -> str:
        """The topic's id; empty where the cluster gives none (before Kafka 2.8)."""
        admin = AdminClient({name: value for name, value in self._settings.items() if name != "group.id"})
        try:
            asked = admin.describe_topics(TopicCollection([topic]), request_timeout=self.timeout)
            found = asked[topic].result(self.timeout)
        except KafkaException as error:
            if error.args[0].code() == KafkaError._UNSUPPORTED_FEATURE:
                return ""
            raise
        return str(found.topic_id or "")


class KafkaCluster:
    """Asks one cluster. A context manager that keeps its connections open until its end.

    What attempts have in common with those of other protocols, and the further arguments, are Persistent's.
    """

    def __init__(
        self,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> None:
        self._system = system
        client = _settings(system, endpoint)
        self._way = Persistent(system, endpoint, str(client["bootstrap.servers"]), on_attempt, **settings)
        self._refused: KafkaError | None = None
        self._settings = {**client, "error_cb": self._on_error, "log_level": 0}
        self._clients: Clients | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._clients:
            self._clients.consumer.close()

    def ask(self, verb: str, topic: str, question: Callable[[Clients], tuple[T, int]]) -> T:
        """What `question` finds out; it returns that and its size in bytes, and writes nothing.

        A lost connection, or a partition that has no leader now: asked again. Raises Retriable when that goes on for
        too long, Fatal when the cluster refuses.
        """
        named = self._way.named(verb, topic)

        def once() -> T:
            with self._way.attempt(verb, topic) as outcome:
                try:
                    answer, outcome.bytes = question(self._opened())
                except KafkaException as error:
                    raise self._classed(error.args[0], named) from error
                outcome.status = "ok"
                return answer

        return self._way.persist(named, once)

    def _opened(self) -> Clients:
        if self._clients is None:
            try:
                self._clients = Clients(self._settings, self._way.timeout)
            except (KafkaException, TypeError, ValueError) as error:
                raise Fatal(
                    f"{self._system.system}: the extra of the Airflow connection {self._system.connection!r} holds a "
                    "setting that Kafka's client (librdkafka) does not know, or a file that is not there: compare its "
                    "names with librdkafka's CONFIGURATION.md."
                ) from error
        return self._clients

    def _on_error(self, error: KafkaError) -> None:
        """The client tries again by itself, and tells why on the side."""
        if error.code() in _SIGN_IN or error.code() == KafkaError._SSL:
            self._refused = error

    def _classed(self, error: KafkaError, named: str) -> Exception:
        """Again when the same question may be answered later, Fatal with what to fix when it may not."""
        connection, kind = f"the Airflow connection {self._system.connection!r}", error.name()
        refused, self._refused = self._refused, None
        if error.code() in _SIGN_IN or (refused and refused.code() in _SIGN_IN):
            return Fatal(
                f"{named} was refused: the sign-in failed. Check security.protocol, sasl.mechanism, sasl.username and "
                f"sasl.password in the extra of {connection}."
            )
        if KafkaError._SSL in (error.code(), refused and refused.code()):
            return Fatal(
                f"{named} failed: no TLS connection could be made. Check security.protocol and ssl.ca.location in the "
                f"extra of {connection}, and whether the port speaks TLS."
            )
        if error.code() in _RIGHTS:
            return Fatal(
                f"{named} was refused: the login of {connection} may not do that. Give it the right: kafka-acls --add "
                "--allow-principal User:<login> --operation Read --operation Describe --topic <topic>"
            )
        if error.code() in _LATER or error.retriable():
            return Again(f"the connection failed ({kind})")
        return Fatal(f"{named} was refused ({kind}). Compare the stream's YAML with the source.")


def _settings(system: System, endpoint: Endpoint) -> Settings:
    """The client's settings: the connection's extra, as Airflow's own provider of Kafka has them."""
    where = urlsplit(endpoint.url)
    settings: Settings = {name: value for name, value in (endpoint.extra or {}).items() if name not in _NOT_THEIRS}
    if where.scheme == "kafka" and where.netloc:
        settings.setdefault("bootstrap.servers", where.netloc)
    if endpoint.login and endpoint.password:
        settings = {"sasl.username": endpoint.login, "sasl.password": endpoint.password, **settings}
    if "bootstrap.servers" not in settings:
        raise Fatal(
            f"{system.system}: the Airflow connection {system.connection!r} does not lead to a Kafka. Give it the type "
            'kafka, and in the extra "bootstrap.servers".'
        )
    return settings
