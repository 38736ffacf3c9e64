"""Records that do not stand in a list: one object, an object of records by their ids, or nothing at all."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from onefold.catalog.answer import Answer
from onefold.connectors.json_shape import Path
from onefold.connectors.lenient_json import raw_members
from onefold.http.attempt import BadBody

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])


class AnswerShape:
    """Takes the records out of a body that has no list at its place."""

    def __init__(self, at: Path, answer: Answer) -> None:
        self._at = at
        self._answer = answer

    def __call__(self, body: bytes) -> list[bytes] | None:
        """Each record's JSON; none where the place is null, or missing where it may be; None where what stands there is
        something else than was declared. Raises BadBody where the body is cut."""
        raw = body
        for name in self._at:
            members = None if raw == b"null" and raw is not body else _members(raw)
            if members is None:
                return [] if raw == b"null" and raw is not body else None
            if name not in members:
                return [] if self._answer.optional else None
            raw = members[name].strip()
        if raw == b"null":
            return [] if self._at or self._answer.optional else None
        if self._answer.single and raw.startswith(b"{"):
            return [] if self._answer.optional and not _members(raw) else [raw]
        members = _members(raw) if self._answer.keyed else None
        return (
            None if members is None else [record for key, value in members.items() for record in self._of(key, value)]
        )

    def _of(self, key: str, value: bytes) -> Iterator[bytes]:
        """The records with this id."""
        raws = [value]
        if value.startswith(b"["):
            try:
                raws = [bytes(each) for each in _list.decode(value)]
            except (msgspec.DecodeError, RecursionError):
                raws = [value]
        for raw in raws:
            if raw.startswith(b"{"):
                yield with_field(raw, self._answer.keyed or "", key)
            elif self._answer.value:
                yield msgspec.json.encode({self._answer.keyed or "": key, self._answer.value: msgspec.Raw(raw)})
            else:
                yield raw


def with_field(record: bytes, name: str, value: str | msgspec.Raw) -> bytes:
    """The object with one more field, put before its own; where it has one of that name, its own counts."""
    more = msgspec.json.encode({name: value})[1:-1]
    inside = record[1:].lstrip()
    try:
        if name in _object.decode(record):
            return record
    except (msgspec.DecodeError, RecursionError):
        pass  # NaN or the like within it: of a name twice the last counts
    return b"{" + more + (b"" if inside.startswith(b"}") else b",") + inside


def _members(raw: bytes) -> dict[str, bytes] | None:
    """The values of an object, each as it stands there; None when it is none."""
    try:
        return {name: bytes(value) for name, value in _object.decode(raw).items()}
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, RecursionError):
        pass  # NaN, half a surrogate pair, or far too many brackets somewhere
    if not raw.startswith(b"{"):
        return None
    try:
        return {name: value.encode() for name, value in raw_members(raw.decode()).items()}
    except ValueError:
        raise BadBody("JSON that is cut off or malformed") from None
