"""How deletions of a stream's records arrive."""

from __future__ import annotations

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
    max_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="of the known records may be missing from a whole listing; where more are, and more than ten, or "
        "the listing is empty, it is refused until a person accepts it",
    )
