"""Streams that come as files: how one is read, and when it is complete."""

from __future__ import annotations

import codecs
from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from onefold.catalog.model import Model


class Format(Model):
    """files: how a file is to be read."""

    kind: Literal["csv", "xlsx", "xml"]
    encoding: str = Field("utf-8", description="csv")
    delimiter: str = Field(",", min_length=1, max_length=1, description="csv")
    decimal: Literal[".", ","] = Field(".", description="csv, xlsx: the decimal mark of numbers that are text")
    dates: str | None = Field(None, description="csv, xlsx: how dates that are text are written (strptime); else ISO")
    sheet: str | None = Field(None, description="xlsx: the sheet's name; else the first")
    record: str | None = Field(None, description="xml: the local name of the element that is a record")
    count: str | None = Field(None, description="xml: the element that says how many records the file must hold")

    @model_validator(mode="after")
    def _kind_is_complete(self) -> Format:
        if self.kind == "xml" and not self.record:
            raise ValueError("format of kind xml needs record: the local name of the element that is a record")
        try:
            codecs.lookup(self.encoding)
        except LookupError as error:
            raise ValueError(f"{self.encoding!r} is no encoding; write one as cp1250 or utf-8") from error
        return self


class Arrival(Model):
    """files: when a file is whole. What ends on .tmp, .part and the like is never read."""

    settled: timedelta = Field(timedelta(seconds=60), description="it has not been changed for so long")
    marker: str | None = Field(None, description="a file of its name with this ending added is there, as .done")
