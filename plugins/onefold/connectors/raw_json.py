"""A value of a JSON document as it stands there, not decoded."""

from __future__ import annotations

from codecs import BOM_UTF8

import msgspec

from onefold.connectors.json_shape import Path
from onefold.connectors.lenient_json import raw_value

_NULL = b"null"
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def raw_at(payload: bytes, path: Path) -> bytes | None:
    """The JSON at the path of a body, as it stands there; None where there is none, or null."""
    raw = payload.removeprefix(BOM_UTF8).strip()
    try:
        for name in path:
            raw = bytes(_MEMBERS.decode(raw).get(name, _NULL))
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, RecursionError):
        try:
            raw = (raw_value(payload.removeprefix(BOM_UTF8).decode(), path) or "null").encode()
        except ValueError:
            return None
    return None if raw == _NULL else raw
