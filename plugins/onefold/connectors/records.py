"""Splits a page's JSON into records, decoding no more than what a record's head needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from types import GenericAlias
from typing import Any

import msgspec

from onefold.catalog.fields import SourceField, keys_to
from onefold.catalog.stream import Stream
from onefold.connectors.cursor import Scalar, canonical
from onefold.connectors.json_shape import Kind, Path, at, found, getter, shape
from onefold.connectors.lenient_json import lenient_value, raw_elements, read_lenient
from onefold.connectors.record import Record
from onefold.errors import Fatal
from onefold.foreign_text import shown_name
from onefold.http.attempt import BadBody, Response

PARTS = 5_000_000
"""Of one body, told by its commas: a list of numbers takes forty times its size once it is read."""
RECORDS = 1_000_000
"""Of one page."""
_BOM = b"\xef\xbb\xbf"
_CUT = "JSON that is cut off or malformed"
_ERROR_KEYS = frozenset({"error", "errors", "errorCode", "error_description", "fault", "Fault"})


@dataclass(frozen=True, slots=True)
class Body:
    """What a page holds; `next` is the next page's address or token, None on the last. `outer` is what it lists, where
    the records are within that."""

    records: list[Record]
    next: str | bool | None
    outer: list[Record] | None = None

    @property
    def listed(self) -> list[Record]:
        """What the page lists: what its source counts, and goes on after."""
        return self.records if self.outer is None else self.outer


def dotted(path: str) -> Path:
    """A dotted path in parts; the empty text is the body itself."""
    return tuple(path.split(".")) if path else ()


class Splitter:
    """Reads pages of one stream. `named` is how messages call the stream; `next_page` is where the body says how to go
    on. `otherwise` takes the records out of a body that has no list at their place; None where it has none either.
    """

    def __init__(
        self,
        named: str,
        stream: Stream,
        records: Path,
        next_page: Path | None,
        *,
        otherwise: Callable[[bytes], list[bytes] | None] = lambda body: None,
    ) -> None:
        self._named = named
        self._otherwise = otherwise
        self._at = records
        self._next_at = next_page
        self._page = msgspec.json.Decoder(shape([(records, list[msgspec.Raw], True)])) if records else None
        self._list = msgspec.json.Decoder(list[msgspec.Raw])
        self._head = Head(named, stream)
        heads: Kind = GenericAlias(list, (self._head.shape,))
        page_of_heads: Kind = shape([(records, heads, True)]) if records else heads
        self._heads: msgspec.json.Decoder[Any] = msgspec.json.Decoder(page_of_heads)
        following: tuple[Path, Kind, bool] = (next_page or (), str | int | bool | None, False)
        self._next = msgspec.json.Decoder(shape([following])) if next_page else None

    def __call__(self, response: Response) -> Body:
        """Raises BadBody when the body is not whole JSON or is an error's, Fatal when its list is not where it was."""
        try:
            body = sound_text(response)
            records = at(self._page.decode(body), self._at) if self._page else self._list.decode(body)
            following = at(self._next.decode(body), self._next_at or ()) if self._next else None
        except msgspec.ValidationError as error:
            if (raws := self._otherwise(body)) is None:
                raise self._changed(body, error) from error
            return Body([self._head.record(raw) for raw in raws], self._following(body, some=bool(raws)))
        except (msgspec.DecodeError, RecursionError) as error:
            return self._one_by_one(body, error)
        if len(records) > RECORDS:
            raise Fatal(
                f"{self._named}: a page has {len(records):,} records, more than {RECORDS:,}. Ask for smaller pages in "
                "the system's YAML (a parameter under request.params, or next.size)."
            )
        return Body(self._records(body, records), next_page_of(following))

    def _records(self, body: bytes, raws: list[msgspec.Raw]) -> list[Record]:
        """One more pass over the page decodes all heads at once: far cheaper than each record by itself."""
        try:
            found = self._heads.decode(body)
        except (msgspec.ValidationError, RecursionError):  # some head is no scalar: only that record must suffer
            return [self._head.record(raw) for raw in raws]
        heads = at(found, self._at) if self._at else found
        return list(map(self._head.of, heads, map(bytes, raws)))

    def _one_by_one(self, body: bytes, error: Exception) -> Body:
        """A page with half a surrogate pair, NaN or far too many brackets somewhere: its record goes to quarantine, the
        others come through as they were sent."""
        try:
            raws = raw_elements(body.decode(), self._at)
            following = lenient_value(body.decode(), self._next_at) if self._next_at else None
        except ValueError:
            raise BadBody(_CUT) from error
        records = self._otherwise(body) if raws is None else [raw.encode() for raw in raws]
        if records is None:
            raise BadBody("JSON with half a surrogate pair, NaN or Infinity, and no list of records where it was")
        return Body([self._head.record(raw) for raw in records], next_page_of(following))

    def _following(self, body: bytes, *, some: bool) -> str | bool | None:
        """What the body says of the next page; an answer without records need not say it."""
        try:
            return next_page_of(at(self._next.decode(body), self._next_at or ()) if self._next else None)
        except msgspec.ValidationError as error:
            if some:
                raise self._changed(body, error) from error
            return None

    def _changed(self, body: bytes, error: msgspec.ValidationError) -> BadBody | Fatal:
        found = msgspec.json.decode(body)
        first = found[0] if isinstance(found, list) and found else found
        if isinstance(first, dict) and _ERROR_KEYS & first.keys():
            return BadBody(f"an error instead of records, with the keys {key_names(first)}")
        where = ".".join(self._at) or "the top"
        shape = f"an object with the keys {key_names(found)}" if isinstance(found, dict) else type(found).__name__
        return Fatal(
            f"{self._named}: the answer's shape has changed: {error}. The list of records is expected at {where}; "
            f"the body is {shape}. If the system has moved it, change `records` or `next.path` in its YAML."
        )


class Head:
    """Takes key, cursor and deletion mark out of a raw record."""

    def __init__(self, named: str, stream: Stream) -> None:
        def path(name: str) -> Path:
            return _field_path(named, name, stream.fields[name])

        keys = [path(name) for name in stream.primary_key]
        fallback = stream.cursor.fallback if stream.cursor else []
        cursors = [path(name) for name in [*stream.cursor.fields, *fallback]] if stream.cursor else []
        flag = stream.deletes.flag
        self._paths = [*keys, *cursors, *([path(flag.field)] if flag else [])]
        self._cursor_at, self._mark_at = len(keys), len(keys) + len(cursors)
        self._fallback_at = len(stream.cursor.fields) if stream.cursor and fallback else 0
        self._may_be_null = [not stream.fields[name].required for name in stream.primary_key]
        self.shape = shape([(each, Scalar, False) for each in dict.fromkeys(self._paths)])
        self._getters = [getter(self.shape, each) for each in self._paths]
        flat = len(keys) == len(cursors) == 1 and len(self._paths) == 3 and all(len(each) == 1 for each in self._paths)
        self._plain = attrgetter(*(self.shape.names[each[0]] for each in self._paths)) if flat else None
        self._kind = stream.cursor.kind if stream.cursor else "timestamp"
        self._deleted_value = flag.equals if flag else None
        self._decoder = msgspec.json.Decoder(self.shape)

    def record(self, raw: bytes | msgspec.Raw) -> Record:
        """A record whose head cannot be read gets key None or cursor None: the loader quarantines it."""
        payload = bytes(raw)
        try:
            head = self._decoder.decode(payload)
        except msgspec.ValidationError:  # a part of the head is not where it was: as good as missing
            try:
                content = msgspec.json.decode(payload)
            except (msgspec.DecodeError, RecursionError):
                return self._lenient(payload)
            return self._made([found(content, path) for path in self._paths], payload)
        except (msgspec.DecodeError, RecursionError):
            return self._lenient(payload)
        return self.of(head, payload)

    def _lenient(self, payload: bytes) -> Record:
        """The head of what cannot be stored as JSON (NaN, half a surrogate pair, a number without end, far too many
        brackets within each other); its bytes stay."""
        try:
            content = read_lenient(payload)
        except (ValueError, RecursionError):
            return Record(None, None, False, payload)
        record = self._made([found(content, path) for path in self._paths], payload)
        return record if record.key is None or _is_text(record.key) else Record(None, record.cursor, False, payload)

    def of(self, head: object, payload: bytes) -> Record:
        """The record with this decoded head."""
        if self._plain:  # one key, one cursor, no detours: most streams, so it has a path of its own
            key, moved, gone = self._plain(head)
            if type(key) is str and key:
                return Record(key, canonical(self._kind, (moved,)), gone == self._deleted_value, payload)
        return self._made([get(head) for get in self._getters], payload)

    def _made(self, values: list[Scalar], payload: bytes) -> Record:
        keys = values[: self._cursor_at]
        if any(type(value) is float for value in keys):  # rarely, so its digits are looked for only now
            content = read_lenient(payload)
            keys = [found(content, path) for path in self._paths[: self._cursor_at]]
        key = _key(keys, self._may_be_null)
        moved = values[self._cursor_at : self._mark_at]
        if self._fallback_at:
            moved = moved[: self._fallback_at] if moved[0] is not None else moved[self._fallback_at :]
        deleted = self._mark_at < len(values) and values[self._mark_at] == self._deleted_value
        return Record(key, canonical(self._kind, moved) if moved else None, deleted, payload)


def sound_json(response: Response) -> bytes:
    """The body without a byte order mark. Raises BadBody: empty, a web page, cut, not UTF-8."""
    body = sound_text(response)
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        raise BadBody(_CUT) from error
    return body


def sound_text(response: Response) -> bytes:
    """The body without a byte order mark, not yet looked at as JSON. Raises BadBody: empty, a web page, not UTF-8, or
    with more in it than can be held."""
    body = response.body.removeprefix(_BOM).strip()
    if not body:
        raise BadBody("an empty body instead of JSON")
    if body.startswith(b"<"):
        raise BadBody("a web page or XML instead of JSON")
    try:
        if not body.isascii():
            body.decode()
    except UnicodeDecodeError as error:
        raise BadBody("JSON that is not UTF-8") from error
    if body.count(b",") > PARTS:
        raise BadBody(f"JSON of more than {PARTS:,} parts: ask for smaller pages")
    return body


def value_at(payload: bytes, path: Path) -> Scalar:
    """The value at the path of a record's JSON; None where there is none, where it is an object or a list, or where the
    record is no JSON that can be read."""
    try:
        return found(msgspec.json.decode(payload), path)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return found(read_lenient(payload), path)
    except (ValueError, RecursionError):
        return None


def next_page_of(value: Scalar) -> str | bool | None:
    """What a body's value says about the next page: its address or token, or only that there is one; None if none."""
    if value and isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # a token that is a number is a token all the same
    return (value if isinstance(value, str) else bool(value)) or None


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _key(values: list[Scalar], may_be_null: list[bool]) -> str | None:
    """One value as it is, several as a JSON array; None when one is missing, empty or no text or number.

    Of several, a field that is not required may be null and is so in the key: the workspace that has no id.
    """
    if len(values) == 1 and type(values[0]) is str:
        return values[0] or None
    several = len(values) > 1
    texts: list[str | None] = []
    for value, optional in zip(values, may_be_null, strict=True):
        if value is None and optional and several:
            texts.append(None)
        elif isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            texts.append(str(value))
        else:
            return None
    return msgspec.json.encode(texts).decode() if several and any(texts) else texts[0]


def key_names(found: Iterable[str]) -> str:
    """The first twelve keys of an object, as they may be written down."""
    return ", ".join(map(shown_name, sorted(found)[:12])) or "(none)"


def _field_path(named: str, name: str, field: SourceField) -> Path:
    path = keys_to(name, field)
    if path is None:
        raise Fatal(
            f"{named}: the field {name} is part of the key, the cursor or the deletion mark, so its path must be "
            f"plain names with dots between them, not {field.path!r}."
        )
    return path
