"""How a listing goes on after its first page."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from onefold.catalog.model import Model


class NextPage(Model):
    """How pages go on."""

    kind: Literal["none", "url", "token", "after", "offset", "number"] = "none"
    path: str | None = Field(None, description="url, token: where the next page's address or token stands in the body")
    keep: Literal["address", "query"] = Field(
        "address",
        description="url: query uses only the query of that address, for a source that names another host or path "
        "(an inner one behind a proxy, or that of its API gateway)",
    )
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
        if self.keep == "query" and self.kind != "url":
            raise ValueError("keep is for next of kind url")
        if self.overlap and (self.kind != "offset" or not self.parameter):
            raise ValueError("overlap is for next of kind offset with its parameter")
        return self
