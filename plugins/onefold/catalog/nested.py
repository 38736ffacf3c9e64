"""Records that stand within what a source lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from onefold.catalog.model import Model


def _names_of_its_own(carry: list[str] | dict[str, str]) -> list[str] | dict[str, str]:
    for name in carry:
        if not name or (isinstance(carry, dict) and "." in name):
            raise ValueError(f"carry names {name!r}; a carried field needs a plain name, as order_id: id")
    return carry


class Nested(Model):
    """The records are not those listed but the ones in a list within each of them, as an order's items. Where that
    list is null, empty or absent there are none; one object in its place is one record."""

    path: str = Field(min_length=1, description="where that list is in what is listed, dotted")
    carry: Annotated[list[str] | dict[str, str], AfterValidator(_names_of_its_own)] = Field(
        [],
        description="what each record also gets of what it stands in: its top-level keys as a list, or by a name of "
        "their own (order_id: id, buyer: customer.id), so that a record that has an id too keeps both",
    )

    @property
    def carried(self) -> Mapping[str, str]:
        """Where each carried field is in what is listed, dotted, by the name that it gets."""
        return self.carry if isinstance(self.carry, dict) else {name: name for name in self.carry}
