"""The catalogue of systems: one YAML per source system says all that is ordinary about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, ClassVar, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from onefold.catalog.auth import Auth, NoAuth, wrong_for
from onefold.catalog.limits import Errors, Limits
from onefold.catalog.model import IDENTIFIER_BYTES, Model, Name, mistake_at
from onefold.catalog.parent_mistakes import parent_mistakes
from onefold.catalog.stream import History, Stream


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError(f"{zone!r} is no time zone; write one as Europe/Warsaw")
    return zone


Zone = Annotated[str, AfterValidator(_known_zone)]


def _has_envelope(stream: dict[str, object]) -> bool:
    request = stream.get("request")
    return isinstance(request, dict) and request.get("envelope") is not None


ON_CHANGE = ("cdc", "webhook", "kafka", "rabbitmq", "redis_stream")
"""The protocols whose connectors peek (connectors.capabilities)."""


class Look(Model):
    """With `start: on_change`, how a source is asked that has no log or queue: by a count of what has changed."""

    every: timedelta = Field(timedelta(seconds=10), ge=timedelta(seconds=1), description="between two looks")
    streams: list[Name] = Field([], description="which are asked about, by a request each; default: all")


class PythonModule(Model):
    """The module in systems/ for what this file cannot say, and why it cannot."""

    module: Name
    why: str = Field(min_length=20)

    renamed: ClassVar[dict[str, str]] = {
        "confirms": "acknowledges, in the capabilities of the module's connector",
        "windows": "windows, in the capabilities of the module's connector",
    }


class System(Model):
    """One source system."""

    system: Name
    title: str
    protocol: Literal[
        "rest", "odata", "soap", "sql", "cdc", "graphql", "files", "webhook", "kafka", "rabbitmq", "redis_stream"
    ]
    connection: str = Field(description="Airflow connection id: host, login and password are there")
    schedule: str = Field(description="cron expression, UTC")
    start: Literal["on_schedule", "on_change"] = Field(
        "on_schedule",
        description="on_change: a sync also starts as soon as there is anything to load; protocols cdc, webhook, "
        "kafka, rabbitmq, redis_stream, and a module under python whose connector peeks",
    )
    look: Look | None = Field(
        None, description="on_change, of a module under python: how often it is asked, about what"
    )
    auth: Auth = NoAuth()
    limits: Limits = Limits()
    errors: Errors = Errors()
    usage_header: str | None = Field(None, description="answer header that tells how much of a quota is used")
    odata_version: Literal[2, 4] = 2
    timezone: Zone = Field("UTC", description="sql: the zone of timestamps that are stored without one")
    wsdl: str | None = Field(
        None, description="soap: path of the WSDL below the connection's host, from a / on; else a file in catalog/wsdl"
    )
    python: PythonModule | None = None
    history: History | None = Field(
        None, description="how far back its streams can be asked: a day, or a duration as P30D; default: slices.since"
    )
    streams: dict[Name, Stream]

    @model_validator(mode="before")
    @classmethod
    def _a_log_leaves_out_what_did_not_change(cls, given: object) -> object:
        if not isinstance(given, dict) or not isinstance(given.get("streams"), dict):
            return given
        streams = {
            name: {"partial_changes": {"marked": True}, **stream}
            if isinstance(stream, dict) and (given.get("protocol") == "cdc" or _has_envelope(stream))
            else stream
            for name, stream in given["streams"].items()
        }
        return given | {"streams": streams}

    @model_validator(mode="after")
    def _tables_have_names_of_their_own(self) -> System:
        longest = IDENTIFIER_BYTES - len("____load_9999999999")
        for name in self.streams:
            if len(self.system) + len(name) > longest:
                raise mistake_at(
                    f"streams.{name}",
                    f"the names {self.system} and {name} have {len(self.system) + len(name)} letters together, and the "
                    f"names of their tables in PostgreSQL room for {longest}; shorten one",
                )
        return self

    @model_validator(mode="after")
    def _parents_are_there(self) -> System:
        for where, text in parent_mistakes(self.streams):
            raise mistake_at(f"streams.{where}", text)
        return self

    @model_validator(mode="after")
    def _a_log_has_its_own_order(self) -> System:
        for name, stream in self.streams.items():
            if stream.cursor and self.protocol == "cdc":
                raise mistake_at(f"streams.{name}.cursor", "protocol cdc has the order from the log; take cursor out")
            if envelope := stream.request.envelope:
                for own in (own for own in ("cursor", "records") if getattr(stream, own)):
                    text = (
                        f"request.envelope: {envelope} says itself where records are and which is newer; take {own} out"
                    )
                    raise mistake_at(f"streams.{name}.{own}", text)
        return self

    @model_validator(mode="after")
    def _messages_have_a_place(self) -> System:
        needs: dict[str, tuple[str, Callable[[Stream], object]]] = {
            "webhook": ("webhook.signature: how the sender signs", lambda stream: stream.webhook),
            "kafka": ("request.topic: the topic of", lambda stream: stream.request.topic),
            "rabbitmq": (
                "request.queue or request.stream, one of them: the name of",
                lambda stream: bool(stream.request.queue) != bool(stream.request.stream),
            ),
            "redis_stream": ("request.stream: the key of the stream of", lambda stream: stream.request.stream),
        }
        if self.protocol in needs:
            what, has = needs[self.protocol]
            if names := [name for name, stream in self.streams.items() if not has(stream)]:
                raise ValueError(f"protocol {self.protocol} needs {what} {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _can_start_on_change(self) -> System:
        if self.start == "on_change" and self.protocol not in ON_CHANGE and not self.python:
            raise mistake_at(
                "start",
                f"start: on_change is for protocols {', '.join(ON_CHANGE)}, which can be asked all the time whether "
                "there is anything to load; take it out, or let `schedule` start the sync more often",
            )
        if self.start == "on_change" and self.protocol not in ON_CHANGE and self.look is None:
            raise mistake_at(
                "start", "start: on_change needs look here: how often it is asked, as look: {every: PT10S}"
            )
        if self.look and (self.start != "on_change" or self.protocol in ON_CHANGE):
            raise mistake_at(
                "look",
                "look: it says how a source without log or queue is asked with start: on_change; take it out",
            )
        if self.look and (unknown := [name for name in self.look.streams if name not in self.streams]):
            raise mistake_at("look.streams", f"look.streams: there is no stream {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _protocol_is_complete(self) -> System:
        if self.protocol == "soap" and not self.wsdl:
            raise ValueError("protocol soap needs wsdl: the path of the service's WSDL, or a file in catalog/wsdl")
        if self.protocol in ("sql", "cdc") and (lacking := [n for n, s in self.streams.items() if not s.request.table]):
            raise ValueError(f"protocol {self.protocol} needs request.table: the table or view of {', '.join(lacking)}")
        if self.protocol == "graphql" and (lacking := [n for n, s in self.streams.items() if not s.request.operation]):
            raise ValueError(
                f"protocol graphql needs request.operation: the connection that lists {', '.join(lacking)}"
            )
        if self.protocol == "files":
            for name, stream in self.streams.items():
                if not (stream.request.path and stream.format and "_file" in stream.volatile):
                    raise ValueError(
                        f"protocol files: {name} needs request.path (which files), format, and volatile: [_file]"
                    )
        if self.errors.in_answer and self.protocol != "rest" and not self.python:
            raise mistake_at("errors.in_answer", "errors.in_answer is read by protocol rest only; take it out")
        for name, stream in self.streams.items():
            if self.protocol != "odata" and stream.cursor and stream.cursor.fallback:
                raise ValueError(f"cursor.fallback of {name}: only protocol odata asks for it; take it out")
        if wrong := wrong_for(self.auth, self.protocol, has_module=self.python is not None):
            raise mistake_at("auth", wrong)
        return self

    @model_validator(mode="after")
    def _records_of_events_are_found_in_one_place(self) -> System:
        for name, stream in self.streams.items() if self.protocol in ("webhook", "rest") else ():
            if stream.webhook and (self.protocol == "webhook") == (stream.webhook.fetch is not None):
                what = "takes records from events and fetches none; take it out, or write protocol rest"
                text = what if stream.webhook.fetch else "needs it: by which request the record of an event is read"
                raise mistake_at(f"streams.{name}.webhook", f"webhook.fetch: protocol {self.protocol} {text}")
        return self
