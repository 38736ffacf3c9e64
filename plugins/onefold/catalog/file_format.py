"""Records that come as files, or in answers that are files: how one is read, and when it is complete."""

from __future__ import annotations

import codecs
import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from onefold.catalog.model import Model

AUTO = ("cp1250", "utf-8", "utf-16", "iso-8859-2", "cp852")
"""What `encoding: auto` stands for: how Polish files come, the usual one first."""
SERIAL = "serial"


class Format(Model):
    """files: how a file is to be read; rest: an answer that is no JSON document. Either may be packed (.gz, .zip)."""

    kind: Literal["csv", "ndjson", "xlsx", "xml"] = Field(description="ndjson: a JSON object on each line")
    encoding: str | Annotated[list[str], Field(min_length=1)] = Field(
        "utf-8",
        description="csv, ndjson: one, several that are told apart by each file's words, or auto (those of Poland)",
    )
    languages: list[str] = Field(
        ["pl"], description="csv: of the texts (ISO 639-1); their letters are the evidence for an encoding"
    )
    delimiter: str = Field(",", min_length=1, max_length=1, description="csv")
    decimal: Literal[".", ","] = Field(".", description="csv, xlsx: the decimal mark of numbers that are text")
    dates: str | None = Field(
        None,
        description="csv, xlsx: how dates that are text are written (strptime, or serial: Excel's numbers); else ISO",
    )
    sheet: str | None = Field(None, description="xlsx: the sheet's name; else the first")
    header_row: PositiveInt | Literal["found"] = Field(
        1,
        description="csv, xlsx: the header's row among those that are not empty; found: the first with all its columns",
    )
    footer: str | None = Field(
        None, description="csv, xlsx: a regular expression; the data end before the row whose first filled cell fits it"
    )
    merged: Literal["refuse", "fill"] = Field(
        "refuse", description="xlsx: what cells merged over several rows of the data are: refused, or the value of each"
    )
    unguarded: list[str] = Field(
        [],
        description="csv, xlsx: fields whose text may be a formula to a spreadsheet (see docs/systems/accounting.md)",
    )
    record: str | None = Field(None, description="xml: the local name of the element that is a record")
    count: str | None = Field(None, description="xml: the element that says how many records the file must hold")

    @model_validator(mode="after")
    def _kind_is_complete(self) -> Format:
        if self.kind == "xml" and not self.record:
            raise ValueError("format of kind xml needs record: the local name of the element that is a record")
        for encoding in self.encodings:
            try:
                codecs.lookup(encoding)
            except LookupError as error:
                raise ValueError(f"{encoding!r} is no encoding; write one as cp1250 or utf-8") from error
        try:
            re.compile(self.footer or "")
        except re.error as error:
            raise ValueError(f"footer is no regular expression: {error}") from error
        return self

    @property
    def encodings(self) -> tuple[str, ...]:
        """The encodings that a file may be in, the usual one first."""
        if self.encoding == "auto":
            return AUTO
        return (self.encoding,) if isinstance(self.encoding, str) else tuple(self.encoding)


class Arrival(Model):
    """files: when a file is whole. What ends on .tmp, .part and the like is never read."""

    settled: timedelta = Field(timedelta(seconds=60), description="it has not been changed for so long")
    marker: str | None = Field(None, description="a file of its name with this ending added is there, as .done")
