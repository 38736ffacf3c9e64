"""What a target's YAML says of a REST interface, under `settings` of an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from onefold.catalog.model import Model
from onefold.connectors.outbound.contract import Place
from onefold.connectors.outbound.settings import PLACEHOLDER, read_settings
from onefold.errors import Fatal

Meaning = Literal["done", "moved", "refused", "not_sent", "ambiguous", "existing"]
WRITING = frozenset({"id", "reference", "key", "version"})
ASKING = {"find": {"reference"}, "read": {"key"}, "match": {"field", "value"}}


class Write(Model):
    """One kind of write. Texts may hold {id} (our idempotency key), {reference}, {key} and {version}."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: str
    headers: dict[str, str] = Field({}, description="such as Idempotency-Key: '{id}' or If-Match: '{version}'")
    within: str = Field("", description="where in the body the fields are, dotted; '' for the body itself")
    body: dict[str, Any] = Field({}, description="what else the body has, dotted")
    status: dict[int, Meaning] = Field(
        {}, description="what a status means where HTTP does not say so; existing: there is a record with our reference"
    )

    def texts(self) -> Iterator[str]:
        """All texts that may hold placeholders."""
        yield self.path
        yield from self.headers.values()
        yield from (text for text in self.body.values() if isinstance(text, str))


class Question(Model):
    """How records are asked for: find has {reference}, read {key}, match {field} and {value}."""

    path: str
    params: dict[str, str] = Field({}, description="its query")
    records: str | None = Field(None, description="where the list of records is, dotted; none: the answer is one")
    next: str | None = Field(None, description="where the address of the next page is, dotted")

    def texts(self) -> Iterator[str]:
        """All texts that may hold placeholders."""
        yield self.path
        yield from self.params
        yield from self.params.values()


class RestSettings(Model):
    """How one kind of record is written and read. A field's name is its dotted path in a record."""

    create: Write | None = None
    update: Write | None = None
    delete: Write | None = None
    find: Question
    read: Question
    match: Question | None = None
    record: str = Field("", description="where the record is in the answer to a write, dotted")
    version: str | None = Field(None, description="ETag, or where a record has its version, dotted; none: its fields")

    def write(self, kind: str) -> Write | None:
        """How this kind of change is written; None where it is not."""
        found: Write | None = getattr(self, kind)
        return found


def rest_settings(place: Place) -> RestSettings:
    """The settings of a place. Raises Fatal that names what is wrong with them."""
    settings = read_settings(place, RestSettings)
    for name in ("create", "update", "delete"):
        if write := settings.write(name):
            _require_known(place, name, write.texts(), WRITING)
    for name, known in ASKING.items():
        if question := getattr(settings, name):
            _require_known(place, name, question.texts(), known)
    return settings


def _require_known(place: Place, name: str, texts: Iterator[str], known: frozenset[str] | set[str]) -> None:
    for text in texts:
        for unknown in (found for found in PLACEHOLDER.findall(text) if found not in known):
            raise Fatal(
                f"{place.named}: settings.{name} in catalog/targets/{place.target}.yaml has {{{unknown}}}, which is "
                f"not known there: write {', '.join(f'{{{each}}}' for each in sorted(known))}."
            )
