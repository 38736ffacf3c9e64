"""A draft: what a description says about a system, before it is written as catalogue YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | bool | None | list["Value"] | dict[str, "Value"]
Fields = dict[str, dict[str, Value]]
KINDS = ("openapi", "graphql", "wsdl", "edmx", "database", "csv", "xlsx", "json")
"""What a draft can be made from."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody has to check: the key of the YAML whose line it stands on ("" is the stream's or system's first
    line), and what is in doubt. It is written as a comment, `# check: …`."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class DraftStream:
    """One stream. `keys` and `cursor` are guesses where the description does not say; `marks` lists the guesses.
    `more` and `after` hold further keys of its YAML, written before primary_key and after cursor. `path` tells streams
    of one name apart; `dropped` are fields that the system's defaults would give it."""

    name: str
    title: str
    fields: Fields
    keys: list[str]
    request: Mapping[str, Value] = field(default_factory=dict)
    records: str = ""
    following: Mapping[str, Value] = field(default_factory=dict)
    cursor: Mapping[str, Value] = field(default_factory=dict)
    more: Mapping[str, Value] = field(default_factory=dict)
    after: Mapping[str, Value] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    path: str = ""
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A system. `more` holds further keys of its YAML, such as odata_version; `marks` are those of its own keys;
    `left_out` says what the description has and the draft does not, each with its reason."""

    protocol: str
    title: str
    streams: list[DraftStream]
    auth: Mapping[str, Value] = field(default_factory=dict)
    more: Mapping[str, Value] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    left_out: tuple[str, ...] = ()
