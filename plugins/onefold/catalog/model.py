"""What every model of a catalogue file is made of."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=24)]


class Model(BaseModel):
    """A mapping of a YAML file: a key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    renamed: ClassVar[dict[str, str]] = {}
    """Keys of earlier versions, and what is written instead of each."""
