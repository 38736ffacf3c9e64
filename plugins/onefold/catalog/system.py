"""The catalogue of systems: one YAML per source system says all that is ordinary about it."""

from __future__ import annotations

import codecs
from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=24)]
PersonalClass = Literal["none", "organisation", "contact", "identity", "sensitive"]
FieldType = Literal["text", "integer", "numeric", "boolean", "date", "timestamp", "json"]


def _zone_exists(rate: str) -> str:
    zone = rate.partition("@")[2]
    if zone and zone not in available_timezones():
        raise ValueError(f"{rate!r} names a time zone that does not exist; write one as in 100/day@Europe/Warsaw")
    return rate


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError(f"{zone!r} is no time zone; write one as Europe/Warsaw")
    return zone


Zone = Annotated[str, AfterValidator(_known_zone)]
Rate = Annotated[
    str, Field(pattern=r"^\d+/(s|min|h|day|day@[A-Z][A-Za-z_]+/[A-Z][A-Za-z_]+)$"), AfterValidator(_zone_exists)
]
"""120/min: in any minute; 100/day@Europe/Warsaw: on a calendar day there."""

OWN_RATE = "^[1-9][0-9]*/(s|min|h|day)$"
"""The form of the rate that somebody gives a migration, instead of the system's own."""


History = Annotated[date | timedelta, Field(union_mode="left_to_right")]
"""The first day that a source can be asked about (UTC), or how long it keeps what it has (ISO 8601)."""


class Model(BaseModel):
    """A mapping of a YAML file: a key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    renamed: ClassVar[dict[str, str]] = {}
    """Keys of earlier versions, and what is written instead of each."""


class SourceField(Model):
    """One field of a record, under the name that the source gives it."""

    type: FieldType = "text"
    path: str | None = Field(
        None, description="where it is, dotted (a.b.c) or an SQL/JSON path ($…); default: its name"
    )
    personal: PersonalClass = "none"
    required: bool = Field(True, description="false: a record may lack the key altogether")


def _short_field(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


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


def _known_placeholders(text: str) -> str:
    if "{question}" in text:
        raise ValueError("{question} was renamed to {lookup_key}; write {lookup_key}")
    return text


Template = Annotated[str, AfterValidator(_known_placeholders)]
"""Text with placeholders: see Request."""


class Request(Model):
    """What is asked for. {start} and {end} of the window ({first_day} and {last_day}: its days, UTC; {start_unix},
    {end_unix}, {start_unix_ms}, {end_unix_ms}: since 1970), {fields} or {paths} (those of nested fields in full) and
    {lookup_key} may stand in the values."""

    method: Literal["GET", "POST"] = "GET"
    path: Template = ""
    params: dict[str, Template] = {}
    headers: dict[str, Template] = {}
    body: Template | None = None
    operation: str | None = Field(
        None, description="soap: the operation's name; graphql: the connection to page through"
    )
    select: dict[str, str] = Field({}, description="graphql: how a name is written in the query where it has arguments")
    table: str | None = Field(None, description="sql: the table or view, as schema.table where need be")
    expand: list[str] = Field([], description="odata: navigations to expand")
    slices: Slices | None = Field(None, description="rest: how long a span one request may be about")
    empty: Empty | None = Field(None, description="rest: the error answer that means: nothing there")
    bulk: Bulk | None = Field(None, description="how large windows are asked for, by a system with python that can")


class NextPage(Model):
    """How pages go on."""

    kind: Literal["none", "url", "token", "after", "offset", "number"] = "none"
    path: str | None = Field(None, description="url, token: where the next page's address or token stands in the body")
    parameter: str | None = Field(
        None, description="token, after: the request parameter that carries it; offset, number: the one to count up"
    )
    size: PositiveInt | None = None
    field: str | None = Field(None, description="after: the next page is asked for by this field of the last record")
    more: str | None = Field(None, description="after: where the body says whether there are more; dotted")
    overlap: int = Field(
        0,
        ge=0,
        description="offset: so many records of a page, fewer than it holds, are asked for again with the next one, "
        "so that rows which were added or deleted meanwhile make none be missed",
    )

    @model_validator(mode="after")
    def _kind_is_complete(self) -> NextPage:
        needed = {"token": ("path", "parameter"), "after": ("field", "more", "parameter")}.get(self.kind, ())
        if missing := [name for name in needed if not getattr(self, name)]:
            raise ValueError(f"next of kind {self.kind} needs {', '.join(missing)}")
        if self.overlap and (self.kind != "offset" or not self.parameter):
            raise ValueError("overlap is for next of kind offset with its parameter")
        return self


class Cursor(Model):
    """What orders the versions of a record and tells what is new."""

    fields: Annotated[list[str], Field(min_length=1, max_length=2)]
    kind: Literal["timestamp", "date_and_time", "integer", "unix_seconds", "unix_milliseconds"] = "timestamp"
    lookback: timedelta = Field(timedelta(minutes=10), description="overlap with the window before; ISO 8601")
    overlap: int = Field(
        1000, ge=0, description="sql, integer: so many values back a load begins, for rows that were committed late"
    )
    of: Literal["record", "file"] = Field(
        "record", description="file: when the record's file was changed; it orders versions, but is no content"
    )


class DeletionFlag(Model):
    """A deleted record comes with a field that says so: the field, and the value it then has."""

    field: str
    equals: bool | str = True


class Tombstones(Model):
    """The source lists its deletions separately: a feed whose entries name the deleted records."""

    request: Request
    records: str = Field("", description="where the entries are, a list or an object's values, dotted; empty: the body")
    next: NextPage = NextPage()
    key: str = Field(description="where an entry names the record's key, dotted")
    match: str = Field(
        "(.+)", description="regular expression of all of it, its group the key; entries that do not match are skipped"
    )
    cursor: str | None = Field(None, description="where an entry has what the stream's cursor is, dotted")


class Deletes(Model):
    """How deletions arrive, in one way or several. Without any: a record stays until its source says otherwise, or a
    listing that was read in full lacks it."""

    flag: DeletionFlag | None = Field(None, description="a field of the record says that it is deleted")
    tombstones: Tombstones | None = Field(None, description="a separate feed names the deleted records")
    complete_group: bool = Field(
        False,
        description="records that share the first key field always come together, with one cursor: one that is missing "
        "from a newer reading of its group is deleted",
    )


class Lookup(Model):
    """The source cannot list its records: it is asked about the values that other systems name."""

    attribute: str = Field(pattern=r"^[a-z_]+\.[a-z_]+$", description="entity.attribute whose values are asked about")
    ttl: timedelta = Field(timedelta(hours=24), description="how long a good answer is not asked for again")
    batch: PositiveInt = Field(1, description="how many values one request carries")
    feed: str | None = Field(
        None,
        description="the path of the feed that names changed records; with {day} in it, windows can be asked about",
    )


class Nested(Model):
    """The records are not those listed but the ones in a list within each of them, as an order's items."""

    path: str = Field(description="where that list is in what is listed, dotted")
    carry: list[str] = Field([], description="top-level keys of what is listed that each record also gets")


class Format(Model):
    """files: how a file is to be read."""

    kind: Literal["csv", "xlsx", "xml"]
    encoding: str = Field("utf-8", description="csv")
    delimiter: str = Field(",", min_length=1, max_length=1, description="csv")
    decimal: Literal[".", ","] = Field(".", description="csv, xlsx: the decimal mark of numbers that are text")
    dates: str | None = Field(None, description="csv, xlsx: how dates that are text are written (strptime); else ISO")
    sheet: str | None = Field(None, description="xlsx: the sheet's name; else the first")
    record: str | None = Field(None, description="xml: the local name of the element that is a record")
    count: str | None = Field(None, description="xml: the element that says how many records the file must hold")

    @model_validator(mode="after")
    def _kind_is_complete(self) -> Format:
        if self.kind == "xml" and not self.record:
            raise ValueError("format of kind xml needs record: the local name of the element that is a record")
        try:
            codecs.lookup(self.encoding)
        except LookupError as error:
            raise ValueError(f"{self.encoding!r} is no encoding; write one as cp1250 or utf-8") from error
        return self


class Arrival(Model):
    """files: when a file is whole. What ends on .tmp, .part and the like is never read."""

    settled: timedelta = Field(timedelta(seconds=60), description="it has not been changed for so long")
    marker: str | None = Field(None, description="a file of its name with this ending added is there, as .done")


class Gate(Model):
    """How much may be wrong before a whole load is refused."""

    max_quarantined_share: float = Field(0.05, ge=0, le=1)


class Stream(Model):
    """One endpoint or table of a system."""

    title: str
    request: Request = Request()
    records: str = Field("", description="where the list of records stands in the body, dotted; empty: the body itself")
    next: NextPage = NextPage()
    nested: Nested | None = Field(None, description="odata, rest: the records are within what is listed")
    format: Format | None = None
    arrival: Arrival = Arrival()
    primary_key: Annotated[list[str], Field(min_length=1)]
    cursor: Cursor | None = None
    deletes: Deletes = Deletes()
    lookup: Lookup | None = None
    fields: dict[
        str,
        Annotated[SourceField, BeforeValidator(_short_field, json_schema_input_type=SourceField | FieldType)],
    ]
    volatile: list[str] = Field([], description="dotted paths that differ at every reading and mean nothing")
    ignore: list[str] = Field([], description="top-level keys that are known and not used")
    freshness: timedelta = timedelta(hours=26)
    history: History | None = Field(
        None, description="how far back it can be asked: a day, or a duration as P30D; default: the system's"
    )
    retention_limited: bool = Field(
        False,
        description="the source keeps its records for a limited time (events expire, files are removed): a record that "
        "it no longer lists is not deleted",
    )
    gate: Gate = Gate()

    renamed = {
        "deleted": "deletes: {flag: …}",
        "tombstones": "deletes: {tombstones: …}",
        "whole": "deletes: {complete_group: true}",
        "forgets": "retention_limited",
    }

    @model_validator(mode="after")
    def _names_exist(self) -> Stream:
        named = {"primary_key": self.primary_key}
        if self.cursor:
            named["cursor.fields"] = self.cursor.fields
        if self.deletes.flag:
            named["deletes.flag.field"] = [self.deletes.flag.field]
        for where, names in named.items():
            for name in names:
                if name not in self.fields:
                    raise ValueError(f"{where} names {name!r}, which is not under fields; add it there")
        folded: dict[str, str] = {}
        for name in self.fields:
            if other := folded.setdefault(name.lower(), name) != name and folded[name.lower()]:
                raise ValueError(f"fields {other} and {name} differ only in case; give one another name and its path")
        return self

    @model_validator(mode="after")
    def _tombstones_name_a_record(self) -> Stream:
        keys = 2 if self.nested else 1  # of records within others the feed names the first field: all of those go
        cursor_fields = len(self.cursor.fields) if self.cursor else 1
        if self.deletes.tombstones and (len(self.primary_key) != keys or cursor_fields != 1):
            raise ValueError(
                "deletes.tombstones needs a primary_key of one field (two where the records are nested), and a cursor, "
                "if there is one, of one field"
            )
        return self

    @model_validator(mode="after")
    def _a_group_has_a_key_and_a_cursor(self) -> Stream:
        if self.deletes.complete_group and (len(self.primary_key) == 1 or not self.cursor):
            raise ValueError("deletes.complete_group needs a cursor and a primary_key of several fields")
        return self

    @model_validator(mode="after")
    def _the_cursor_is_content(self) -> Stream:
        """Or a reading that is newer and else the same would leave no trace, and an older one could pass for newer."""
        for name in self.cursor.fields if self.cursor and self.cursor.of == "record" else ():
            path = self.fields[name].path or name
            for volatile in self.volatile:
                if f"{path}.".startswith(f"{volatile}."):
                    raise ValueError(f"volatile takes in {path!r}, which is the cursor; take {volatile!r} out of it")
        return self


class Auth(Model):
    """How the system lets us in; the secrets themselves are in the Airflow connection."""

    kind: Literal[
        "none", "basic", "bearer", "api_key", "oauth2_client_credentials", "session", "username_token", "x509"
    ] = Field(
        "none",
        description="bearer, api_key: the connection's password is the key; username_token, x509: WS-Security (soap), "
        "the latter with private_key and certificate, PEM texts, in the connection's extra",
    )
    header: str = Field("Authorization", description="api_key: the request header that carries the key")
    token_path: str | None = Field(
        None,
        description="oauth2: where tokens are had, below the connection's host; the connection's extra token_url "
        "overrides it where that is another host",
    )
    scope: str | None = Field(None, description="oauth2: the scope to ask a token for")


class Limits(Model):
    """How much the system allows. The connection's extra {"rate": "1000/s"} overrides it for a test system, but for a
    quota of a day, which only another one overrides: {"rate": "1000/s,5000/day"}."""

    rate: list[Rate] = ["10/s"]
    per_endpoint: dict[str, list[Rate]] = Field(
        {}, description="further rates of single endpoints, by method and end of the path: POST /exports"
    )
    timeout: timedelta = timedelta(seconds=60)
    attempts: PositiveInt = 5

    renamed = {"apart": "per_endpoint"}


class Errors(Model):
    """What the system's error answers mean where the HTTP status does not tell."""

    retry: list[str] = Field([], description="texts in the body of a 4xx answer that mean: later")
    quota_exhausted: list[str] = Field(
        [], description="texts in the body of an error that mean: our quota is used up for now"
    )

    renamed = {"spent": "quota_exhausted"}


class PythonModule(Model):
    """The module in systems/ for what this file cannot say, and why it cannot."""

    module: Name
    why: str = Field(min_length=20)
    confirms: bool = Field(False, description="its function confirm tells the system what has been published")
    windows: bool = Field(False, description="it asks the system about the window's start and end, and nothing else")


class System(Model):
    """One source system."""

    system: Name
    title: str
    protocol: Literal["rest", "odata", "soap", "sql", "graphql", "files"]
    connection: str = Field(description="Airflow connection id: host, login and password are there")
    schedule: str = Field(description="cron expression, UTC")
    auth: Auth = Auth()
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

    @model_validator(mode="after")
    def _protocol_is_complete(self) -> System:
        if self.protocol == "soap" and not self.wsdl:
            raise ValueError("protocol soap needs wsdl: the path of the service's WSDL, or a file in catalog/wsdl")
        if self.protocol == "sql" and (lacking := [n for n, s in self.streams.items() if not s.request.table]):
            raise ValueError(f"protocol sql needs request.table: the table or view of {', '.join(lacking)}")
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
        if self.auth.kind == "oauth2_client_credentials" and not self.auth.token_path:
            raise ValueError("auth oauth2_client_credentials needs token_path")
        return self
