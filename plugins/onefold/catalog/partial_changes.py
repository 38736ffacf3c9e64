"""Streams whose changes may carry only some of a record's fields."""

from __future__ import annotations

from pydantic import Field, model_validator

from onefold.catalog.model import Model

MERGED = "_merged"
"""The key of a payload that says what a partial change was merged into: `load`, the load that brought it, and `own`,
the keys that the source sent of this record itself, where the others are its master's."""


UNCHANGED_FIELDS = "_unchanged"
"""The key of a marked change (PartialChanges.marked) that names the fields which it does not carry."""


class Master(Model):
    """The record whose fields a stub has too: the series of an occurrence."""

    id: str = Field(description="the key that holds its id, which takes the place of the last field of the primary key")
    own: list[str] = Field([], description="keys that a stub never takes from it, because each record has its own")


class PartialChanges(Model):
    """A change may carry only some fields; it is merged into the record's newest version."""

    lacks: list[str] = Field(
        [],
        description="keys of whole records; a change with none of them carries only some fields (name several, or a "
        "field that the source drops would pass for one that did not change)",
    )
    marked: bool = Field(
        False,
        description="a change that carries only some fields names the others itself (_unchanged); so it is in cdc, and "
        "where request.envelope is debezium",
    )
    master: Master | None = Field(None, description="where a record that was only ever sent in part has the rest from")

    @model_validator(mode="after")
    def _one_way_to_tell(self) -> PartialChanges:
        if bool(self.lacks) == self.marked:
            raise ValueError("name keys of whole records under lacks")
        return self

    @model_validator(mode="after")
    def _a_completed_stub_is_whole(self) -> PartialChanges:
        if self.master and set(self.lacks) <= set(self.master.own):
            raise ValueError("lacks must name a key that is not under master.own, or a stub would never be whole")
        return self
