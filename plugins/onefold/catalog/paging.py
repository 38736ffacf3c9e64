"""How a listing goes on after its first page."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from onefold.catalog.model import Model


class NextPage(Model):
    """How pages go on."""

    kind: Literal["none", "url", "link", "token", "after", "offset", "number", "connection"] = Field(
        "none",
        description="url: the body has the next page's address; link: the header Link has it (rel=next); token: the "
        "body has what the next request carries; after: the last record has it; offset: records are counted; number: "
        "pages are, until one is empty; connection (graphql): pageInfo says it, as Relay's connections do",
    )
    path: str | None = Field(None, description="url, token: where the next page's address or token stands in the body")
    keep: Literal["address", "query"] = Field(
        "address",
        description="url, link: query uses only the query of that address, for a source that names another host or "
        "path (an inner one behind a proxy, or that of its API gateway)",
    )
    parameter: str | None = Field(
        None,
        description="token, after: the request parameter that carries it; offset, number: the one to count up; "
        "connection: the one that carries the cursor, default after. graphql: it may be within an input object, dotted",
    )
    first: int | None = Field(None, ge=0, description="offset, number: of the first page; default 0 and 1")
    total: str | None = Field(
        None,
        description="where the body says how many records there are (dotted), or which header does; fewer that were "
        "read are an error",
    )
    complete: bool = Field(
        False, description="what looks like a sign of a further page in the last answer (a total, a link) is none"
    )
    size: PositiveInt | None = Field(None, description="sql, graphql: records of a page")
    size_parameter: str | None = Field(
        None, description="graphql: the argument that asks for size records; default first (connection), limit (others)"
    )
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
        if self.keep == "query" and self.kind not in ("url", "link"):
            raise ValueError("keep is for next of kind url or link")
        if self.first is not None and self.kind not in ("offset", "number"):
            raise ValueError("first is for next of kind offset or number")
        if self.overlap and (self.kind != "offset" or not self.parameter):
            raise ValueError("overlap is for next of kind offset with its parameter")
        return self
