"""How a listing goes on after its first page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from onefold.catalog.model import Model, mistake_at

Kind = Literal["none", "url", "link", "token", "after", "offset", "number", "connection"]
ADDRESSES = frozenset({"url", "link"})
COUNTED = frozenset({"offset", "number"})
_ASKED = frozenset({"token", "after", *COUNTED})
OF_KINDS: Mapping[str, frozenset[str]] = {
    "path": frozenset({"url", "token"}),
    "header": frozenset({"url", "token"}),
    "keep": ADDRESSES,
    "hosts": ADDRESSES,
    "parameter": _ASKED | {"connection"},
    "first": COUNTED,
    "field": frozenset({"after"}),
    "overlap": frozenset({"offset"}),
}
"""The kinds that read a key, of those that not every kind reads."""
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "token": ("parameter",),
    "after": ("field", "parameter"),
}
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", re.IGNORECASE | re.ASCII)


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"hosts: write the name of one host, as api.example.com or api.example.com:8443, not {text!r}")
    return text.lower()


Host = Annotated[str, AfterValidator(_host)]


class NextPage(Model):
    """How pages go on."""

    kind: Kind = Field(
        "none",
        description="url: the body has the next page's address; link: the header Link has it (rel=next); token: the "
        "answer has what the next request carries; after: the last record has it; offset: records are counted; number: "
        "pages are, until one is empty; connection (graphql): pageInfo says it, as Relay's connections do",
    )
    path: str | None = Field(
        None,
        description="url, token: where the next page's address or token stands in the body; soap: its element's name",
    )
    header: str | None = Field(
        None, description="url, token: the answer's header that has the address or token, where the body has none"
    )
    keep: Literal["address", "path", "query"] = Field(
        "address",
        description="url, link, odata: path uses only the path and query of that address, and query only its query, "
        "for a source that names another host or path (an inner one behind a proxy, or that of its API gateway)",
    )
    hosts: list[Host] = Field(
        [],
        description="url, link, odata: other hosts of the source that its addresses may name; the connection's "
        "credentials are sent there too, over https as to the connection's own",
    )
    parameter: str | None = Field(
        None,
        description="token, after: the request parameter that carries it; offset, number: the one to count up; "
        "connection: the one that carries the cursor, default after. soap: an argument, dotted where it is within "
        "another; graphql: it may be within an input object, dotted",
    )
    place: Literal["query", "body", "header"] = Field(
        "query",
        description="rest: what carries parameter and size_parameter: the address's query, the JSON of a POST (then "
        "they are dotted), or headers of the request",
    )
    first: int | None = Field(None, ge=0, description="offset, number: of the first page; default 0 and 1")
    total: str | None = Field(
        None,
        description="where the body says how many records there are (dotted), or which header does; fewer that were "
        "read are an error",
    )
    pages: str | None = Field(
        None, description="where the body says how many pages there are (dotted), or which header does"
    )
    more: str | None = Field(None, description="where the body says whether there are more pages; dotted")
    last: str | None = Field(None, description="where the body says that this is the last page (true: it is); dotted")
    complete: bool = Field(
        False, description="what looks like a sign of a further page in the last answer (a total, a link) is none"
    )
    size: PositiveInt | None = Field(None, description="how many records a page is asked to have")
    size_parameter: str | None = Field(
        None,
        description="rest, soap: the request parameter (soap: the argument) that carries size; see place. graphql: the "
        "argument that does; default first (connection), limit (others)",
    )
    field: str | None = Field(
        None, description="after: the next page is asked for by this field of the last record, until one is empty"
    )
    overlap: int = Field(
        0,
        ge=0,
        description="offset: so many records of a page, fewer than it holds, are asked for again with the next one, "
        "so that rows which were added or deleted meanwhile make none be missed",
    )

    @model_validator(mode="after")
    def _keys_are_of_the_kind(self) -> NextPage:
        for name, kinds in OF_KINDS.items():
            if self._given(name) and self.kind not in kinds:
                if self.kind in ("none", "connection"):
                    continue  # protocols say so, each in its own words
                text = f"{name} is for next of kind {' or '.join(sorted(kinds))}, and this one is of kind {self.kind}"
                raise mistake_at(name, f"{text}. Take one of the two out ({name}: null where it comes from defaults)")
        if self.place != "query" and self.kind not in _ASKED and not self.size_parameter:
            raise mistake_at("place", "place is for next with parameter or size_parameter; take it out")
        return self

    @model_validator(mode="after")
    def _kind_is_complete(self) -> NextPage:
        missing = [name for name in _NEEDED.get(self.kind, ()) if not getattr(self, name)]
        if self.kind in ("url", "token") and not self.path and not self.header:
            missing.insert(0, "path (or header)")
        if missing:
            raise ValueError(f"next of kind {self.kind} needs {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _nothing_is_said_twice(self) -> NextPage:
        for one, other in (("path", "header"), ("more", "last")):
            if self._given(one) and self._given(other):
                raise mistake_at(other, f"{one} and {other} say the same in two ways: take one of them out")
        if self.hosts and self.keep != "address":
            raise mistake_at("hosts", f"no other host is asked with keep: {self.keep}; take out hosts or keep")
        if self.size_parameter and self.size_parameter == self.parameter:
            raise mistake_at("size_parameter", "size_parameter and parameter are the same; name two")
        return self

    def _given(self, name: str) -> bool:
        return bool(getattr(self, name) != type(self).model_fields[name].get_default(call_default_factory=True))
