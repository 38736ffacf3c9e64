"""Takes JSON apart without reading what is in the parts: each stays as it was sent, digit for digit, also where it
holds what no JSON may (NaN, half a surrogate pair): that spoils its own record only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from onefold.connectors.json_shape import Path
from onefold.connectors.lenient_json import raw_elements, raw_members

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


class OtherShape(Exception):
    """There is no object, or no list, where one was expected."""


def members(raw: bytes) -> dict[str, bytes]:
    """The values of an object by their names. Raises OtherShape when it is none."""
    try:
        return {name: bytes(value) for name, value in _OBJECT.decode(raw).items()}
    except msgspec.ValidationError as error:
        raise OtherShape("no object") from error
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return {name: value.encode() for name, value in raw_members(raw.decode()).items()}
    except ValueError as error:
        raise OtherShape("no object") from error


def elements(raw: bytes) -> list[bytes]:
    """The elements of a list. Raises OtherShape when it is none."""
    try:
        return [bytes(value) for value in _LIST.decode(raw)]
    except msgspec.ValidationError as error:
        raise OtherShape("no list") from error
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        found = raw_elements(raw.decode(), ())
    except ValueError as error:
        raise OtherShape("no list") from error
    if found is None:
        raise OtherShape("no list")
    return [value.encode() for value in found]


def member(raw: bytes, path: Path) -> bytes:
    """The value at a path; null where something on the way is null or missing. Raises OtherShape when something on the
    way is no object."""
    for name in path:
        if raw == b"null":
            return raw
        raw = members(raw).get(name, b"null")
    return raw


def an_object(parts: Mapping[str, bytes]) -> bytes:
    """The object with these values."""
    return b"{%s}" % b",".join(msgspec.json.encode(name) + b":" + value for name, value in parts.items())


def a_list(parts: Iterable[bytes]) -> bytes:
    """The list of these values."""
    return b"[%s]" % b",".join(parts)
