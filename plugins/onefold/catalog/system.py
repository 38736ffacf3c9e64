"""The catalogue of systems: one YAML per source system says all that is ordinary about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=24)]
PersonalClass = Literal["none", "organisation", "contact", "identity", "sensitive"]
FieldType = Literal["text", "integer", "numeric", "boolean", "date", "timestamp", "json"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


class Request(Model):
    """What is asked for. {start} and {end} of the window, {fields} and {question} may stand in the values."""

    method: Literal["GET", "POST"] = "GET"
    path: str = ""
    params: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: str | None = None
    operation: str | None = Field(None, description="soap: the operation's name")
    expand: list[str] = Field([], description="odata: navigations to expand")


class NextPage(Model):
    """How pages go on."""

    kind: Literal["none", "url", "offset", "number"] = "none"
    path: str | None = Field(None, description="url: where the next page's address stands in the body")
    parameter: str | None = Field(None, description="offset, number: the request parameter to count up")
    size: PositiveInt | None = None


class Cursor(Model):
    """What orders the versions of a record and tells what is new."""

    fields: Annotated[list[str], Field(min_length=1, max_length=2)]
    kind: Literal["timestamp", "date_and_time", "integer"] = "timestamp"
    lookback: timedelta = Field(timedelta(minutes=10), description="overlap with the window before; ISO 8601")


class Deleted(Model):
    """How a deleted record shows: the field that says so, and the value it then has."""

    field: str
    equals: bool | str = True


class Lookup(Model):
    """The source cannot list its records: it is asked about the values that other systems name."""

    attribute: str = Field(pattern=r"^[a-z_]+\.[a-z_]+$", description="entity.attribute whose values are asked about")
    ttl: timedelta = Field(timedelta(hours=24), description="how long a good answer is not asked for again")
    batch: PositiveInt = Field(1, description="how many values one request carries")
    feed: str | None = Field(None, description="the path of the feed that names changed records")


class Gate(Model):
    """How much may be wrong before a whole load is refused."""

    max_quarantined_share: float = Field(0.05, ge=0, le=1)


class Stream(Model):
    """One endpoint or table of a system."""

    title: str
    request: Request = Request()
    records: str = Field("", description="where the list of records stands in the body, dotted; empty: the body itself")
    next: NextPage = NextPage()
    primary_key: Annotated[list[str], Field(min_length=1)]
    cursor: Cursor | None = None
    deleted: Deleted | None = None
    lookup: Lookup | None = None
    fields: dict[
        str,
        Annotated[SourceField, BeforeValidator(_short_field, json_schema_input_type=SourceField | FieldType)],
    ]
    volatile: list[str] = Field([], description="dotted paths that differ at every reading and mean nothing")
    ignore: list[str] = Field([], description="top-level keys that are known and not used")
    freshness: timedelta = timedelta(hours=26)
    gate: Gate = Gate()

    @model_validator(mode="after")
    def _names_exist(self) -> Stream:
        named = {"primary_key": self.primary_key}
        if self.cursor:
            named["cursor.fields"] = self.cursor.fields
        if self.deleted:
            named["deleted.field"] = [self.deleted.field]
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
    def _the_cursor_is_content(self) -> Stream:
        """Or a reading that is newer and else the same would leave no trace, and an older one could pass for newer."""
        for name in self.cursor.fields if self.cursor else ():
            path = self.fields[name].path or name
            for volatile in self.volatile:
                if f"{path}.".startswith(f"{volatile}."):
                    raise ValueError(f"volatile takes in {path!r}, which is the cursor; take {volatile!r} out of it")
        return self


class Auth(Model):
    """How the system lets us in; the secrets themselves are in the Airflow connection."""

    kind: Literal["none", "basic", "oauth2_client_credentials", "session"] = "none"
    token_path: str | None = Field(None, description="oauth2: where tokens are had, below the connection's host")


class Limits(Model):
    """How much the system allows; the connection's extra {"rate": "…"} overrides it for a test system."""

    rate: list[Annotated[str, Field(pattern=r"^\d+/(s|min|h|day)$")]] = ["10/s"]
    timeout: timedelta = timedelta(seconds=60)
    attempts: PositiveInt = 5


class Errors(Model):
    """What the system's error answers mean where the HTTP status does not tell."""

    retry: list[str] = Field([], description="texts in the body of a 4xx answer that mean: later")


class PythonModule(Model):
    """The module in systems/ for what this file cannot say, and why it cannot."""

    module: Name
    why: str = Field(min_length=20)


class System(Model):
    """One source system."""

    system: Name
    title: str
    protocol: Literal["rest", "odata", "soap"]
    connection: str = Field(description="Airflow connection id: host, login and password are there")
    schedule: str = Field(description="cron expression, UTC")
    auth: Auth = Auth()
    limits: Limits = Limits()
    errors: Errors = Errors()
    usage_header: str | None = Field(None, description="answer header that tells how much of a quota is used")
    odata_version: Literal[2, 4] = 2
    wsdl: str | None = Field(None, description="soap: path of the WSDL, below the connection's host")
    python: PythonModule | None = None
    streams: dict[Name, Stream]

    @model_validator(mode="after")
    def _protocol_is_complete(self) -> System:
        if self.protocol == "soap" and not self.wsdl:
            raise ValueError("protocol soap needs wsdl: the path of the service's WSDL")
        if self.auth.kind == "oauth2_client_credentials" and not self.auth.token_path:
            raise ValueError("auth oauth2_client_credentials needs token_path")
        return self
