"""Splits a page's JSON into records, decoding no more than what a record's head needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from onefold.catalog.system import SourceField, Stream
from onefold.connectors.cursor import Scalar, canonical
from onefold.connectors.page import Record
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response

Path = tuple[str, ...]
_BOM = b"\xef\xbb\xbf"
_ABSENT = msgspec.Raw()
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2}|u0000)|.)"
)
_ERROR_KEYS = frozenset({"error", "errors", "errorCode", "error_description", "fault", "Fault"})


@dataclass(frozen=True, slots=True)
class Body:
    """What a page holds; `next` is the address of the next page, None on the last one."""

    records: list[Record]
    next: str | None


def dotted(path: str) -> Path:
    """A dotted path in parts; the empty text is the body itself."""
    return tuple(path.split(".")) if path else ()


class Splitter:
    """Reads pages of one stream. `named` is how messages call the stream."""

    def __init__(self, named: str, stream: Stream, records: Path, next_page: Path | None) -> None:
        self._named = named
        self._at = records
        self._next_at = next_page
        self._page = msgspec.json.Decoder(_shape([(records, list[msgspec.Raw], True)])) if records else None
        self._list = msgspec.json.Decoder(list[msgspec.Raw])
        self._next = msgspec.json.Decoder(_shape([(next_page, str | None, False)])) if next_page else None
        self._head = Head(named, stream)

    def __call__(self, response: Response) -> Body:
        """Raises BadBody when the body is not whole JSON or is an error's, Fatal when its list is not where it was."""
        body = sound_json(response)
        try:
            records = _at(self._page.decode(body), self._at) if self._page else self._list.decode(body)
            following = _at(self._next.decode(body), self._next_at or ()) if self._next else None
        except msgspec.ValidationError as error:
            raise self._changed(body, error) from error
        return Body([self._head.record(raw) for raw in records], following or None)

    def _changed(self, body: bytes, error: msgspec.ValidationError) -> BadBody | Fatal:
        found = msgspec.json.decode(body)
        first = found[0] if isinstance(found, list) and found else found
        if isinstance(first, dict) and _ERROR_KEYS & first.keys():
            return BadBody(f"an error instead of records, with the keys {_names(first)}")
        where = ".".join(self._at) or "the top"
        shape = f"an object with the keys {_names(found)}" if isinstance(found, dict) else type(found).__name__
        return Fatal(
            f"{self._named}: the answer's shape has changed: {error}. The list of records is expected at {where}; "
            f"the body is {shape}. If the system has moved it, change `records` or `next.path` in its YAML."
        )


class Head:
    """Takes key, cursor and deletion mark out of a raw record."""

    def __init__(self, named: str, stream: Stream) -> None:
        def path(name: str) -> Path:
            return _field_path(named, name, stream.fields[name])

        self._keys = [path(name) for name in stream.primary_key]
        self._cursors = [path(name) for name in stream.cursor.fields] if stream.cursor else []
        self._kind = stream.cursor.kind if stream.cursor else "timestamp"
        self._deleted = path(stream.deleted.field) if stream.deleted else None
        self._deleted_value = stream.deleted.equals if stream.deleted else None
        wanted = dict.fromkeys([*self._keys, *self._cursors, *([self._deleted] if self._deleted else [])])
        self._decoder = msgspec.json.Decoder(_shape([(each, msgspec.Raw, False) for each in wanted]))

    def record(self, raw: bytes | msgspec.Raw) -> Record:
        """A record whose head cannot be read gets key None or cursor None: the loader quarantines it."""
        payload = bytes(raw)
        try:
            head = self._decoder.decode(payload)
            key = _key([_scalar(_at(head, path)) for path in self._keys])
            moved = [_scalar(_at(head, path)) for path in self._cursors]
            deleted = self._deleted is not None and _scalar(_at(head, self._deleted)) == self._deleted_value
        except msgspec.DecodeError:
            return Record(None, None, False, payload)
        return Record(key, canonical(self._kind, moved) if moved else None, deleted, payload)


def sound_json(response: Response) -> bytes:
    """The body without a byte order mark, as jsonb can hold it. Raises BadBody: empty, a web page, cut, not UTF-8."""
    body = _storable(response.body.removeprefix(_BOM).strip())
    if not body:
        raise BadBody("an empty body instead of JSON")
    if body.startswith(b"<"):
        raise BadBody("a web page or XML instead of JSON")
    try:
        if not body.isascii():
            body.decode()
        msgspec.json.decode(body, type=msgspec.Raw)
    except UnicodeDecodeError as error:
        raise BadBody("JSON that is not UTF-8") from error
    except msgspec.DecodeError as error:
        raise BadBody("JSON that is cut off or malformed") from error
    return body


def _storable(body: bytes) -> bytes:
    """Escapes that no text in PostgreSQL can hold (half a surrogate pair, the null character) become U+FFFD.

    One such character would otherwise keep its whole page out for ever.
    """
    if b"\\u0000" not in body and b"\\ud" not in body.lower():
        return body
    return _ESCAPE.sub(lambda found: b"\\ufffd" if found[1] else found[0], body)


def _shape(wanted: Iterable[tuple[Path, type, bool]]) -> type:
    """A struct type that decodes the values at these paths (with their type; True: must be there), nothing else."""
    here: dict[str, list[tuple[Path, type, bool]]] = {}
    for path, kind, required in wanted:
        here.setdefault(path[0], []).append((path[1:], kind, required))
    fields: list[tuple[str, type] | tuple[str, type, object]] = []
    names: dict[str, str] = {}
    for number, (name, below) in enumerate(here.items()):
        attribute = f"f{number}"
        names[attribute] = name
        if below[0][0]:
            required = any(must for _, _, must in below)
            kind = _shape(below)
            fields.append((attribute, kind) if required else (attribute, kind | None, None))
        else:
            kind, required = below[0][1], below[0][2]
            fields.append(
                (attribute, kind) if required else (attribute, kind, _ABSENT if kind is msgspec.Raw else None)
            )
    return msgspec.defstruct("Shape", fields, rename=names, namespace={"names": {v: k for k, v in names.items()}})


def _at(shape: object, path: Path) -> object:
    for name in path:
        if shape is None:
            return None
        shape = getattr(shape, type(shape).names[name])
    return shape


def _scalar(raw: object) -> Scalar:
    if not isinstance(raw, msgspec.Raw):
        return None
    text = bytes(raw)
    if not text or text[:1] in b"{[":
        return None
    return msgspec.json.decode(text)


def _key(values: list[Scalar]) -> str | None:
    """One value as it is, several as a JSON array; None when one is missing, empty or no text or integer."""
    texts = [str(value) for value in values if isinstance(value, (str, int)) and not isinstance(value, bool)]
    if len(texts) != len(values) or not all(texts):
        return None
    return texts[0] if len(texts) == 1 else msgspec.json.encode(texts).decode()


def _names(found: dict[str, object]) -> str:
    return ", ".join(sorted(found)[:12]) or "(none)"


def _field_path(named: str, name: str, field: SourceField) -> Path:
    path = (field.path or name).removeprefix("$.")
    if not all(part.replace("_", "").replace("@", "").isalnum() for part in path.split(".")):
        raise Fatal(
            f"{named}: the field {name} is part of the key, the cursor or the deletion mark, so its path must be "
            f"plain names with dots between them, not {field.path!r}."
        )
    return dotted(path)
