"""The fields of a stream's records: type, place, and class of personal data."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from onefold.catalog.model import Model, mistake_at

PersonalClass = Literal["none", "organisation", "contact", "identity", "sensitive"]
FieldType = Literal["text", "integer", "numeric", "boolean", "date", "timestamp", "json"]


class SourceField(Model):
    """One field of a record, under the name that the source gives it."""

    type: FieldType = "text"
    path: str | None = Field(
        None, description="where it is, dotted (a.b.c) or an SQL/JSON path ($…); default: its name"
    )
    personal: PersonalClass = "none"
    required: bool = Field(True, description="false: a record may lack the key altogether")
    vanished: bool = Field(
        False,
        description="the source no longer has it, and somebody has accepted that: that every record lacks it refuses "
        "no load; with required: false",
    )

    @model_validator(mode="after")
    def _what_has_vanished_is_not_required(self) -> SourceField:
        if self.vanished and self.required:
            raise mistake_at("vanished", "vanished needs required: false")
        return self


def fields_fingerprint(fields: Mapping[str, SourceField]) -> str:
    """A hash of all that decides how the fields are read and judged; their classes of personal data do not."""
    read = {name: field.model_dump(exclude={"personal"}) for name, field in fields.items()}
    return hashlib.sha256(json.dumps(read, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


_KEYS_ONLY = re.compile(r"""\$(?:\.[\w@]+|\."[^"\\]+")+""")
_KEY = re.compile(r"""\.(?:([\w@]+)|"([^"\\]+)")""")


def keys_to(name: str, field: SourceField) -> tuple[str, ...] | None:
    """The keys that lead from a record to the field; None where its path is more than keys, as `$.lines[0].id`.

    A key with a dot or another sign in it stands in quotes: `$."Nr. faktury"`.
    """
    if field.path is None:
        return (name,)
    if not field.path.startswith("$"):
        return None if re.search(r"[\[\]*?]", field.path) else tuple(field.path.split("."))
    if not _KEYS_ONLY.fullmatch(field.path):
        return None
    return tuple(plain or quoted for plain, quoted in _KEY.findall(field.path))


def _short_field(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


Fields = dict[
    str, Annotated[SourceField, BeforeValidator(_short_field, json_schema_input_type=SourceField | FieldType)]
]
"""Fields by name; a field that has nothing but a type may be written as that type alone."""
