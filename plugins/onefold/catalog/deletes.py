"""How deletions of a stream's records arrive."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from onefold.catalog.model import Model
from onefold.catalog.paging import NextPage
from onefold.catalog.request import Request


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


class Sweep(Model):
    """The keys of all records are listed now and then, and what the listing lacks is deleted."""

    every: timedelta = Field(
        timedelta(days=1), ge=timedelta(days=1), description="how often, at least a day apart; ISO 8601"
    )
    request: Request | None = Field(
        None,
        description="a cheaper request that lists every record with its key; default: the stream's own, for the keys "
        "alone where the protocol can, and from the beginning",
    )
    records: str | None = Field(None, description="where its list of records stands; default: as the stream's")
    next: NextPage | None = Field(None, description="how its pages go on; default: as the stream's")


class Deletes(Model):
    """How deletions arrive, in one way or several. A stream whose request names no time is listed whole by every load:
    what the listing lacks is deleted, without any of these. Else a record stays until its source says otherwise."""

    flag: DeletionFlag | None = Field(None, description="a field of the record says that it is deleted")
    tombstones: Tombstones | None = Field(None, description="a separate feed names the deleted records")
    complete_group: bool = Field(
        False,
        description="records that share the first key field always come together, with one cursor: one that is missing "
        "from a newer reading of its group is deleted",
    )
    sweep: Sweep | None = Field(
        None, description="the source never says what it has deleted: list the keys now and then, by the DAG reconcile"
    )
    max_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="of the known records may be missing from a whole listing or a sweep; where more are, and more "
        "than ten, or the listing is empty, it is refused until a person accepts it",
    )
