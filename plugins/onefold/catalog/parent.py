"""Streams that are listed for each record of another stream, as the tickets of each project."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, model_validator

from onefold.catalog.fields import Fields
from onefold.catalog.model import Model, Name

_PLAIN = re.compile(r"[\w@-]+(\.[\w@-]+)*")
Status = Annotated[int, Field(ge=400, le=499)]


class Parent(Model):
    """rest: the stream is listed once for each record of another stream of the system, its parent, which is read
    first. What a parent's listing lacks is deleted, and so are the records of a parent that is gone."""

    stream: Name = Field(description="the parent; it may have a parent itself")
    fill: Annotated[dict[str, str], Field(min_length=1)] = Field(
        description="what of the parent's record is filled in for {name} in request, and becomes the field of that "
        "name in each record: project_id: id. The first field of primary_key is one of them"
    )
    changed: bool = Field(
        False,
        description="only parents whose cursor has moved are asked: where a parent says that it changed whenever one "
        "of its records did",
    )
    gone: list[Status] = Field([], description="statuses of a parent's listing that mean: it is gone, with its records")
    unreadable: list[Status] = Field(
        [],
        description="statuses of a parent's listing that mean: its records may not be read (403). They stay as they "
        "are, the parent goes into quarantine, and it is asked again with each load",
    )

    @model_validator(mode="after")
    def _statuses_mean_one_thing(self) -> Parent:
        if both := sorted({*self.gone} & {*self.unreadable}):
            raise ValueError(f"{both[0]} is under gone and under unreadable; take one of them out")
        if said := {401, 408, 425, 429} & {*self.gone, *self.unreadable}:
            raise ValueError(f"{min(said)} says nothing of a parent: it is about our sign-in, or asks us to wait")
        return self


def place_of(name: str, fields: Fields) -> str | None:
    """The dotted path of a field that is named by its name or its path; None where there is none."""
    field = fields.get(name)
    path = field.path or name if field else next((name for each in fields.values() if each.path == name), None)
    if path is None:
        return None
    path = path.removeprefix("$.")
    return path if _PLAIN.fullmatch(path) else None
