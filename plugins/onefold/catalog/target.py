"""The catalogue of targets: one YAML says what goes out to a system, how each field is made, and what may be done."""

from __future__ import annotations

import codecs
import unicodedata
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from onefold.catalog.limits import Rate
from onefold.catalog.model import Model, Name, mistake_at
from onefold.service_window import service_window

Format = Literal[
    "text",
    "number",
    "boolean",
    "date",
    "date_text",
    "date_pl",
    "timestamp",
    "decimal_comma",
    "code",
    "nip_dashed",
    "nip_eu",
    "phone_national",
    "street_name",
    "house_number",
    "flat_number",
    "first_line",
    "second_line",
]
"""How a golden value is written for a target: the functions in write_back/formats.py."""
FORMATS: tuple[Format, ...] = get_args(Format)
LINES = ("first_line", "second_line")
"""The formats of a text that the target keeps in two fields, broken between two words."""
Rule = Literal["owner", "fill_empty", "newest", "ask"]
Permission = Literal["create", "update", "delete"]
Constant = str | int | bool


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name).name.encode("ascii")
        "a".encode(name)
    except (LookupError, ValueError) as error:
        raise ValueError(f"{name!r} is no encoding that is known; write one as utf-8, cp1250, iso8859-2") from error
    return name


def _known_hours(text: str) -> str:
    try:
        service_window(text)
    except Exception as error:
        raise ValueError(str(error)) from error
    return text


class Characters(Model):
    """What text the target can hold. Text is first composed (Unicode NFC), then characters are replaced, and what the
    encoding then has not, or a control character but tab and line end, refuses the record with the character named."""

    encoding: Annotated[str, AfterValidator(_known_encoding)] = Field("utf-8", description="what the target stores")
    replacements: dict[str, str] = Field({}, description="what is written in place of a character, as “: '\"'")

    @model_validator(mode="after")
    def _of_one_character_each(self) -> Characters:
        for given, written in self.replacements.items():
            if len(unicodedata.normalize("NFC", given)) != 1:
                raise ValueError(f"characters.replacements: {given!r} is not one character")
            try:
                written.encode(self.encoding)
            except UnicodeEncodeError:
                raise ValueError(f"characters.replacements: {written!r} does not exist in {self.encoding}") from None
        return self


class Length(Model):
    """How long a text may be. A longer one refuses the record: nothing is cut."""

    max: PositiveInt
    unit: Literal["characters", "bytes"] = Field("characters", description="bytes: in the declared encoding")


REFERENCE_LENGTH = 20
"""Characters of our reference (write_back/intents.py): it fits the shortest field that is known, SAP's external id."""


def _holds_the_reference(length: int) -> int:
    if length < REFERENCE_LENGTH:
        raise ValueError(
            f"our reference has {REFERENCE_LENGTH} characters, and the field holds {length}: it would be cut, and the "
            "record not found again; name a field that holds it"
        )
    return length


class TargetField(Model):
    """One field of the target's record."""

    attribute: Name
    format: Format = "text"
    codes: dict[str, Constant] | None = Field(None, description="format code: our words and what the target has")
    rule: Rule = Field(
        "owner",
        description="where both have a value and they differ: owner: the golden record wins; fill_empty: the target's "
        "stays; newest: what changed last; ask: a person approves the row, whatever `approval` says",
    )
    clear: bool = Field(False, description="true: where the golden record has none, the target's value is emptied")
    required: bool = Field(False, description="a record without it is not created, but refused")
    length: Length | None = None

    @model_validator(mode="after")
    def _formats_have_what_they_need(self) -> TargetField:
        if (self.format == "code") != (self.codes is not None):
            raise ValueError("format code and codes belong together")
        if self.format in LINES and (self.length is None or self.length.unit != "characters"):
            raise ValueError(f"format {self.format} needs length: {{max: so many characters as the first line holds}}")
        return self


class TargetObject(Model):
    """One kind of record of the target."""

    entity: Name
    object: str = Field(description="the target's table, entity set, sObject or path")
    stream: Name | None = Field(
        None, description="the system's stream that reads these records: it tells which golden records are there"
    )
    key: str = Field(description="the target's own key; the stream's primary key")
    reference: str = Field(description="the field that holds our reference, 20 capital letters; unique there")
    reference_length: Annotated[int, AfterValidator(_holds_the_reference)] | None = Field(
        None, description="how many characters that field holds, where the target says it"
    )
    version: str | None = Field(
        None, description="the field that tells a record's version, where the protocol has none of its own"
    )
    changed: str | None = Field(None, description="rule newest: the field with the time of the record's last change")
    match: dict[Name, str] = Field(
        {}, description="attribute: field; a record that has the same value there is taken on, not made again"
    )
    may: list[Permission] = Field(["create", "update"], min_length=1)
    characters: Characters = Characters()
    fields: dict[str, TargetField] = Field(min_length=1)
    constants: dict[str, Constant] = Field({}, description="what a new record has besides, field by field")
    where: dict[Name, list[str] | Literal["present"]] = Field(
        {}, description="which golden records: attributes with the values that they have, or present"
    )
    left: Literal["keep", "delete", "ask"] = Field(
        "keep",
        description="what becomes of a record there whose golden record no longer meets `where`: it stays as it is and "
        "is named; or, where we have made it, it is deleted; ask: once a person has approved it",
    )
    settings: dict[str, Any] = Field({}, description="the protocol's own settings")

    @model_validator(mode="after")
    def _fields_have_one_meaning(self) -> TargetObject:
        ours = [self.key, self.reference]
        for name in (*self.fields, *self.constants):
            if name in ours:
                raise mistake_at(f"fields.{name}", f"{name} is the key or the reference: it is not written as a field")
        if both := self.fields.keys() & self.constants.keys():
            raise mistake_at("constants", f"{', '.join(sorted(both))}: a field and a constant; take one out")
        if self.changed is None and any(each.rule == "newest" for each in self.fields.values()):
            raise mistake_at("changed", "rule newest needs changed: the field with the time of the last change")
        if self.left != "keep" and "delete" not in self.may:
            raise mistake_at("left", f"left: {self.left} needs the permission: may: [{', '.join(self.may)}, delete]")
        for attribute, field in self.match.items():
            if field not in self.fields or self.fields[field].attribute != attribute:
                raise mistake_at(
                    f"match.{attribute}", f"match: {field} must be under fields, made of {attribute}: so it is compared"
                )
        return self

    @property
    def attributes(self) -> list[str]:
        """The attributes that decide what is written, sorted."""
        return sorted({*(field.attribute for field in self.fields.values()), *self.where})


class TargetLimits(Model):
    """How much the target bears. What is not said is as the system's own limits are."""

    rate: list[Rate] | None = None
    timeout: timedelta | None = Field(None, description="one request and its whole answer")
    longest_run: timedelta = Field(
        timedelta(minutes=5),
        description="after so long a request whose answer was lost surely does not run any more at the target; nothing "
        "is searched or sent again before it",
    )


class Above(Model):
    """A plan that writes more records than this needs an approval."""

    above: int = Field(ge=0)


class Target(Model):
    """What goes out to one system."""

    target: Name
    title: str
    system: Name = Field(description="whose connection, sign-in and limits are used")
    protocol: Name = Field(description="how it is written: sql, …")
    limits: TargetLimits = TargetLimits()
    window: Annotated[str, AfterValidator(_known_hours)] | None = Field(
        None, description="the hours in which it may write, as 22:00-05:00 Europe/Warsaw"
    )
    approval: Literal["always", "never"] | Above = Field(
        "always", description="whether another person approves each plan; {above: 100}: those that write more records"
    )
    first_publish: Literal["skip", "write"] = Field(
        "skip",
        description="what an entity's first publish finds, after the first loads of all systems: skip: it is not "
        "written, only what changes from then on (`write-back TARGET --all` writes it later); write: it is",
    )
    objects: dict[Name, TargetObject] = Field(min_length=1)
