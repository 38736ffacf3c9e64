"""What a stream asks its source for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, PositiveInt, model_validator

from onefold.catalog.model import Model, mistake_at


class Bulk(Model):
    """The source's own way to give much at once: a job is made, waited for, and its result fetched."""

    path: str = Field(description="where jobs are made")
    window: timedelta = Field(timedelta(days=30), description="a longer window may be worth a job; ISO 8601")
    records: PositiveInt = Field(2000, description="a long window is worth one when it holds more than so many records")
    size: PositiveInt = Field(20_000, description="records in one part of the result")


class Empty(Model):
    """The error answer that says only that there is nothing in the window, as 404 for a week of holidays."""

    status: int = Field(404, ge=400, le=499)
    text: str = Field(min_length=1, description="occurs in its body; another body with this status is a failure")


class Slices(Model):
    """The source answers for so long a span only: a longer window is asked for slice by slice, in whole days (UTC)."""

    longest: timedelta
    since: date = Field(description="the first day that a first load asks for")


GRAPHQL_NAME = "^[_A-Za-z][_0-9A-Za-z]*$"
_WINDOW = ("start", "end", "first_day", "last_day", "start_unix", "end_unix", "start_unix_ms", "end_unix_ms")
PLACEHOLDERS = frozenset((*_WINDOW, "fields", "paths"))
"""The names that the protocols' connectors fill in between braces."""
MODULE_PLACEHOLDERS = frozenset({"lookup_key", "day"})
"""What systems' own modules fill in as well, in look-ups and their feeds."""
_NAME_IN_BRACES = re.compile(r"\{([A-Za-z_]\w*)\}")
_IN_BRACES = re.compile(r"\{([^{}\"':,]*)\}")


def names_in_braces(text: str, *, body: bool = False) -> list[str]:
    """What looks like a placeholder in a text, also `{ start }` and `{start-1}`; JSON's and GraphQL's own braces, which
    a body may have, do not."""
    return (_NAME_IN_BRACES if body else _IN_BRACES).findall(text)


def _renamed_placeholders(text: str) -> str:
    if "{question}" in text:
        raise ValueError("{question} was renamed to {lookup_key}; write {lookup_key}")
    return text


Template = Annotated[str, AfterValidator(_renamed_placeholders)]
"""Text with placeholders: see Request."""


class Request(Model):
    """What is asked for. {start} and {end} of the window ({first_day} and {last_day}: its days, UTC; {start_unix},
    {end_unix}, {start_unix_ms}, {end_unix_ms}: since 1970), {fields} or {paths} (those of nested fields in full) and
    {lookup_key} may stand in the values."""

    method: Literal["GET", "POST"] = Field("GET", description="graphql: default POST")
    path: Template = ""
    params: dict[str, Template] = Field({})
    headers: dict[str, Template] = Field({})
    body: Template | dict[str, JsonValue] | None = Field(
        None,
        description="rest: a text as it is, or a mapping that is sent as JSON: numbers stay numbers, and a text "
        "that is nothing but {start_unix} or a parent's number is one",
    )
    form: dict[str, Template] = Field({}, description="rest: the fields of a form, in place of a body")
    operation: str | None = Field(
        None,
        description="soap: the operation's name; graphql: the field that lists the records, dotted from the query's "
        "root (viewer.repositories)",
    )
    arguments: dict[Annotated[str, Field(pattern=GRAPHQL_NAME)], JsonValue] = Field(
        {}, description="graphql: the arguments of that field; text, numbers, booleans, lists and objects as they are"
    )
    types: dict[str, Annotated[str, Field(pattern=r"^\[*[_A-Za-z{][\w{}]*[\]!]*$")]] = Field(
        {},
        description="graphql: the type of an argument, as the schema writes it; needed where it is an enum's value or "
        "holds one",
    )
    connections: list[str] = Field(
        [],
        description="graphql: names within a record that are connections (dotted): their nodes become a list, read to "
        "its end",
    )
    select: dict[str, str] = Field(
        {}, description="graphql: how a name is written in the query where it has arguments or other fields below it"
    )
    table: str | None = Field(None, description="sql, cdc: the table (sql: or view), as schema.table where need be")
    slot: Annotated[str, Field(pattern="^[a-z0-9_]{1,63}$")] | None = Field(
        None, description="cdc: the name of the replication slot and of the publication; default: onefold_system_stream"
    )
    topic: str | None = Field(None, description="kafka: the topic")
    stream: str | None = Field(None, description="redis_stream: the key of the stream; rabbitmq: its name")
    queue: str | None = Field(None, description="rabbitmq: the name of a classic or quorum queue")
    field: str | None = Field(
        None,
        description="redis_stream: the field of an entry whose value is the record's JSON; default: an entry's "
        "own fields are the record",
    )
    snapshot: bool = Field(
        False,
        description="sql: all pages are read in one transaction, as the table was at its beginning; it stays open so "
        "long, and a lost connection begins anew",
    )
    envelope: Literal["debezium"] | None = Field(
        None,
        description="kafka, redis_stream, webhook: the messages are a tool's change events; the records are unwrapped "
        "from them, in the order of the source's log",
    )
    expand: list[str] = Field([], description="odata: navigations to expand")
    slices: Slices | None = Field(None, description="rest: how long a span one request may be about")
    empty: Empty | None = Field(None, description="rest: the error answer that means: nothing there")
    bulk: Bulk | None = Field(None, description="how large windows are asked for, by a system with python that can")

    @property
    def argument_texts(self) -> dict[str, str]:
        """The texts in `arguments` by their places, in which placeholders may stand."""
        return dict(_texts(self.arguments, "arguments"))

    @property
    def body_texts(self) -> dict[str, str]:
        """The texts in `body` and `form` by their places."""
        return dict(_texts(self.body or "", "body")) | {f"form.{name}": text for name, text in self.form.items()}

    @model_validator(mode="after")
    def _one_body(self) -> Request:
        if self.form and self.body is not None:
            raise mistake_at("form", "a request has either body or form; take one of them out")
        if (self.form or isinstance(self.body, dict)) and self.method != "POST":
            raise mistake_at("form" if self.form else "body", "a body is sent with a POST; add method: POST")
        return self

    @model_validator(mode="after")
    def _types_are_of_arguments(self) -> Request:
        for name in self.types:
            if name not in self.arguments and "{" not in name:
                raise mistake_at("types", f"types names {name!r}, which is not under arguments; add it there")
        return self


def _texts(value: JsonValue, at: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield at, value
        case list():
            for number, each in enumerate(value):
                yield from _texts(each, f"{at}.{number}")
        case dict():
            for name, each in value.items():
                yield from _texts(each, f"{at}.{name}")


def texts_of(request: Request) -> list[str]:
    """The texts of a request that may hold placeholders."""
    return [
        request.path,
        *request.body_texts.values(),
        *request.params.values(),
        *request.headers.values(),
        *request.argument_texts.values(),
    ]
