"""What a source's answers look like, where they are no list of records in UTF-8, and what in them means an error."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from onefold.catalog.model import Model


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise ValueError(f"{name!r} is no encoding; write one as iso-8859-2 or cp1250") from error
    return name


Encoding = Annotated[str, AfterValidator(_known_encoding)]


class Answer(Model):
    """rest: what stands at `records`, where it is not a list. Null there is always: no records."""

    single: bool = Field(False, description="one record as an object; a list of them is read as well")
    keyed: str | None = Field(
        None,
        min_length=1,
        description="an object of records by their ids, or of lists of them: the id becomes this field of each",
    )
    value: str | None = Field(
        None,
        min_length=1,
        description="keyed: the field that becomes of a value which is no object (a rate by currency)",
    )
    optional: bool = Field(False, description="an answer without that place, or an empty one, has no records")
    encoding: Encoding | None = Field(
        None, description="of JSON that is not UTF-8; default: what its header Content-Type says"
    )

    @model_validator(mode="after")
    def _one_form(self) -> Answer:
        if self.single and self.keyed:
            raise ValueError("answer is either single or keyed")
        if self.value and not self.keyed:
            raise ValueError("answer.value goes with answer.keyed")
        return self


Scalars = str | int | float | bool | list[str | int | float | bool]


class ErrorRule(Model):
    """What in an answer with status 2xx says that it is an error: the value at `path`, if there is one. Without equals
    and unless: any that is neither null, false, 0 nor empty."""

    path: str = Field(min_length=1, description="dotted")
    equals: Scalars | None = Field(None, description="it is an error where the value is this, or one of these")
    unless: Scalars | None = Field(None, description="it is an error where the value is anything but this, or these")
    message: str | None = Field(
        None, description="where the answer says why, dotted; of it only words are shown that no record can have"
    )
    then: Literal["fail", "retry", "nothing"] = Field(
        "fail",
        description="fail: the load fails; retry: the request is tried again; nothing: there are no records, and no "
        "further page",
    )

    @model_validator(mode="after")
    def _one_condition(self) -> ErrorRule:
        if self.equals is not None and self.unless is not None:
            raise ValueError("an error rule has either equals or unless")
        return self


def _as_list(rules: object) -> object:
    return [rules] if isinstance(rules, dict) else rules


ErrorRules = Annotated[list[ErrorRule], BeforeValidator(_as_list, json_schema_input_type=ErrorRule | list[ErrorRule])]
"""One rule may be written without a list."""
