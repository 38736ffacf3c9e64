"""One endpoint or table of a system: what is asked for, and what its records are."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt, model_validator

from onefold.catalog.answer import Answer
from onefold.catalog.deletes import Deletes
from onefold.catalog.fields import Fields
from onefold.catalog.file_format import Arrival, Format
from onefold.catalog.model import IDENTIFIER_BYTES, Model, mistake_at
from onefold.catalog.nested import Nested
from onefold.catalog.paging import NextPage
from onefold.catalog.parent import Parent
from onefold.catalog.partial_changes import PartialChanges
from onefold.catalog.privacy import StreamPrivacy
from onefold.catalog.request import Request, texts_of
from onefold.catalog.webhook import Webhook

History = Annotated[date | timedelta, Field(union_mode="left_to_right")]
"""The first day that a source can be asked about (UTC), or how long it keeps what it has (ISO 8601)."""


class Cursor(Model):
    """What orders the versions of a record and tells what is new."""

    fields: Annotated[list[str], Field(min_length=1, max_length=2)]
    fallback: list[str] = Field(
        [],
        max_length=2,
        description="odata: what counts instead where the fields are null, as the time of creation of what "
        "was never changed",
    )
    kind: Literal["timestamp", "date_and_time", "integer", "unix_seconds", "unix_milliseconds"] = "timestamp"
    lookback: timedelta = Field(timedelta(minutes=10), description="overlap with the window before; ISO 8601")
    overlap: int = Field(
        1000, ge=0, description="sql, integer: so many values back a load begins, for rows that were committed late"
    )
    of: Literal["record", "file"] = Field(
        "record", description="file: when the record's file was changed; it orders versions, but is no content"
    )


AttributeName = Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z0-9_]+$")]


class Lookup(Model):
    """The source cannot list its records: it is asked about the values that other systems name."""

    attribute: AttributeName | Annotated[list[AttributeName], Field(min_length=1)] = Field(
        description="entity.attribute whose values are asked about, or a list of them"
    )
    ttl: timedelta = Field(timedelta(hours=24), description="how long a good answer is not asked for again")
    batch: PositiveInt = Field(1, description="how many values one request carries")
    feed: str | None = Field(
        None,
        description="the path of the feed that names changed records; with {day} in it, windows can be asked about",
    )

    @property
    def attributes(self) -> list[str]:
        """Each entity.attribute whose values are asked about."""
        return [self.attribute] if isinstance(self.attribute, str) else self.attribute


class Gate(Model):
    """How much may be wrong before a whole load is refused."""

    max_quarantined_share: float = Field(0.05, ge=0, le=1)
    max_withheld_share: float = Field(
        0.05, ge=0, le=1, description="of the records may lack the value of one attribute before an alert opens"
    )


class KeptByLaw(Model):
    """What a law demands to keep of a person's data, against the person's wish: the reason goes into each erasure."""

    fields: Annotated[list[str], Field(min_length=1)]
    basis: str = Field(description="the law and article")
    years: PositiveInt = Field(description="for so many years after the end of the year of `since`")
    since: str = Field(description="the field with the day from which the years count")


class Stream(Model):
    """One endpoint or table of a system."""

    title: str
    parent: Parent | None = None
    request: Request = Request()
    webhook: Webhook | None = Field(None, description="webhook: how the sender signs what it posts; needed there")
    records: str = Field("", description="where the list of records stands in the body, dotted; empty: the body itself")
    answer: Answer = Answer()
    next: NextPage = NextPage()
    nested: Nested | None = Field(None, description="graphql, odata, rest: the records are within what is listed")
    format: Format | None = None
    arrival: Arrival = Arrival()
    primary_key: Annotated[list[str], Field(min_length=1)]
    cursor: Cursor | None = None
    deletes: Deletes = Deletes()
    partial_changes: PartialChanges | None = None
    lookup: Lookup | None = None
    fields: Fields
    volatile: list[str] = Field([], description="dotted paths that differ at every reading and mean nothing")
    ignore: list[str] = Field([], description="top-level keys that are known and not used")
    freshness: timedelta = timedelta(hours=26)
    freshness_objective: float = Field(
        0.99,
        gt=0,
        lt=1,
        description="the part of the time in which freshness is to be met; alerts tell when the rest is used up",
    )
    history: History | None = Field(
        None, description="how far back it can be asked: a day, or a duration as P30D; default: the system's"
    )
    versions: Literal["last", "every_change"] = Field(
        "last",
        description="cdc, webhook: of several changes of a record in one load the last is stored, or every one "
        "(staging.<system>__<stream>__changes)",
    )
    retention_limited: bool = Field(
        False,
        description="the source keeps its records for a limited time (events expire, files are removed): a record that "
        "it no longer lists is not deleted",
    )
    privacy: StreamPrivacy | None = Field(
        None, description="why its personal data is processed, for whom and how long; needed where a field is personal"
    )
    gate: Gate = Gate()
    kept_by_law: KeptByLaw | None = Field(None, description="what an erasure leaves in the records, why and how long")

    renamed: ClassVar[dict[str, str]] = {
        "deleted": "deletes: {flag: …}",
        "tombstones": "deletes: {tombstones: …}",
        "whole": "deletes: {complete_group: true}",
        "forgets": "retention_limited",
    }

    @property
    def by_inbox(self) -> bool:
        """Whether what comes of it is stored in the inbox first."""
        return self.webhook is not None or self.request.queue is not None

    @property
    def filled(self) -> set[str]:
        """The names of what is filled in for {name} in its request: of a parent's record, or of an event."""
        fetch = self.webhook.fetch if self.webhook else None
        return {*(self.parent.fill if self.parent else ()), *(fetch.fill if fetch else ())}

    @model_validator(mode="after")
    def _an_event_names_one_record(self) -> Stream:
        if not (self.webhook and self.webhook.fetch):
            return self
        place = "webhook.fetch"
        if self.webhook.recover:
            raise mistake_at("webhook.recover", "a stream with webhook.fetch recovers nothing; take it out")
        for other in ("parent", "lookup", "nested", "format"):
            if getattr(self, other) is not None:
                raise mistake_at(place, f"a record that an event names has no {other}; take it out")
        if self.deletes.tombstones or self.deletes.sweep or self.request.slices:
            raise mistake_at(place, "only the records that events name are read; take out tombstones, sweep and slices")
        key = self.primary_key[0]
        if len(self.primary_key) != 1 or (self.fields[key].path or key) not in self.filled:
            raise mistake_at("primary_key", "primary_key must be one field, and one that webhook.fetch.fill gives")
        if lacking := sorted(self.filled - {field.path or name for name, field in self.fields.items()}):
            raise mistake_at(f"{place}.fill", f"each record gets {lacking[0]!r}, which is not under fields; add it")
        if not any(f"{{{each}}}" in text for each in self.filled for text in texts_of(self.request)):
            raise mistake_at(f"{place}.fill", f"nothing in request has {{{min(self.filled)}}}; write it there")
        return self

    @model_validator(mode="after")
    def _names_exist(self) -> Stream:
        named = {"primary_key": self.primary_key}
        if self.cursor:
            named["cursor.fields"] = self.cursor.fields
            named["cursor.fallback"] = self.cursor.fallback
            if self.cursor.fallback and len(self.cursor.fallback) != len(self.cursor.fields):
                raise mistake_at("cursor.fallback", "cursor.fallback needs as many fields as cursor.fields")
        if self.deletes.flag:
            named["deletes.flag.field"] = [self.deletes.flag.field]
        if self.format:
            named["format.unguarded"] = self.format.unguarded
        if self.kept_by_law:
            named["kept_by_law"] = [*self.kept_by_law.fields, self.kept_by_law.since]
        for where, names in named.items():
            for name in names:
                if name not in self.fields:
                    raise mistake_at(where, f"{where} names {name!r}, which is not under fields; add it there")
        folded: dict[str, str] = {}
        for name in self.fields:
            if len(name.encode()) > IDENTIFIER_BYTES:
                text = f"field {name} has more than {IDENTIFIER_BYTES} bytes; give it a shorter name and its path"
                raise mistake_at(f"fields.{name}", text)
            if other := folded.setdefault(name.lower(), name) != name and folded[name.lower()]:
                text = f"fields {other} and {name} differ only in case; give one another name and its path"
                raise mistake_at(f"fields.{name}", text)
        return self

    @model_validator(mode="after")
    def _what_answers_add_is_a_field(self) -> Stream:
        paths = {field.path or name for name, field in self.fields.items()}
        for key, name in (("answer.keyed", self.answer.keyed), ("answer.value", self.answer.value)):
            if name and name not in paths:
                raise mistake_at(key, f"{key} gives each record {name!r}, which is not under fields; add it there")
        return self

    @model_validator(mode="after")
    def _tombstones_name_a_record(self) -> Stream:
        keys = 2 if self.nested else 1  # of records within others the feed names the first field: all of those go
        cursor_fields = len(self.cursor.fields) if self.cursor else 1
        if self.deletes.tombstones and (len(self.primary_key) != keys or cursor_fields != 1):
            raise mistake_at(
                "deletes.tombstones",
                "deletes.tombstones needs a primary_key of one field (two where the records are nested), and a cursor, "
                "if there is one, of one field",
            )
        return self

    @model_validator(mode="after")
    def _a_group_has_a_key_and_a_cursor(self) -> Stream:
        if self.deletes.complete_group and (len(self.primary_key) == 1 or not self.cursor):
            raise mistake_at(
                "deletes.complete_group", "deletes.complete_group needs a cursor and a primary_key of several fields"
            )
        return self

    @model_validator(mode="after")
    def _every_change_is_whole(self) -> Stream:
        if self.versions == "every_change" and self.partial_changes and not self.partial_changes.marked:
            raise mistake_at(
                "versions",
                "every_change needs whole records, or ones that name what they leave out; take one of "
                "versions and partial_changes out",
            )
        return self

    @model_validator(mode="after")
    def _the_cursor_is_content(self) -> Stream:
        """Or a reading that is newer and else the same would leave no trace, and an older one could pass for newer."""
        for name in self.cursor.fields if self.cursor and self.cursor.of == "record" else ():
            path = self.fields[name].path or name
            for volatile in self.volatile:
                if f"{path}.".startswith(f"{volatile}."):
                    text = f"volatile takes in {path!r}, which is the cursor; take {volatile!r} out of it"
                    raise mistake_at("volatile", text)
        return self
