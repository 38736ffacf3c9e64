"""What every model of a catalogue file is made of."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=24)]
IDENTIFIER_BYTES = 63
"""PostgreSQL cuts a longer name of a table, column or index without an error: two names could become one."""


def mistake_at(key: str, text: str) -> PydanticCustomError:
    """The error for a validator of a whole model to raise about one of its keys: it is shown on that key's line."""
    return PydanticCustomError("mistake", "{text}", {"key": key, "text": text})


class Model(BaseModel):
    """A mapping of a YAML file: a key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    renamed: ClassVar[dict[str, str]] = {}
    """Keys of earlier versions, and what is written instead of each."""
