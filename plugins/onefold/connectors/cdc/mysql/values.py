"""Values in the row images of the log: what the driver makes of the same values when the row is selected.

Sources: MySQL, "Data Type Storage Requirements" and "Date and Time Data Type Representation"; MariaDB, "UUID Data
Type", "INET6".
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from struct import Struct

Read = Callable[[bytes, int], tuple[object, int]]
"""Reads the value that begins there; returns it and where it ends."""
Decode = Callable[[bytes], object]
"""Makes a value of a string's bytes."""

_INTEGERS = {1: "bB", 2: "hH", 3: "iI", 8: "qQ"}
"""By type (TINYINT, SMALLINT, INT, BIGINT), with a sign and without."""
ENUM, SET = 247, 248
_BLOB, _STRING, _GEOMETRY = 252, 254, 255
_PER_WORD = 9
_SIZES = {1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 8: 8, 9: 3, 10: 3, 13: 1}
_BYTES_OF_DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)


def reader(kind: int, meta: int, decode: Decode, *, unsigned: bool, members: Sequence[bytes] = ()) -> Read | None:
    """What reads values of the type (events.TableMap); None where the type is not known here."""
    if kind in _INTEGERS:
        return _fixed(Struct("<" + _INTEGERS[kind][unsigned]))
    if kind == 9:
        return _middle(unsigned=unsigned)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == 15:
        return _text(2 if meta > 255 else 1, decode)
    if kind == _STRING:
        return _text(2 if _width(meta) > 255 else 1, decode)
    if kind in (_BLOB, _GEOMETRY):
        return _text(meta, decode)
    if kind == 246:
        return _decimal(meta >> 8, meta & 0xFF)
    if kind in (17, 18, 19):
        return {17: _timestamp, 18: _datetime, 19: _time}[kind](meta)
    if kind == 16:
        return _bits((meta >> 8) + bool(meta & 0xFF))
    if kind == ENUM:
        return _enum(meta & 0xFF, [decode(each) for each in members])
    return _set(meta & 0xFF, [decode(each) for each in members]) if kind == SET else None


def size_of(kind: int, meta: int) -> tuple[int, int]:
    """How long a value of a known type is: its bytes, or the bytes of the number before it that says so."""
    if kind in _SIZES:
        return _SIZES[kind], 0
    if kind in (15, _STRING):
        return 0, 2 if (meta if kind == 15 else _width(meta)) > 255 else 1
    if kind in (_BLOB, _GEOMETRY):
        return 0, meta
    if kind == 246:
        return sum(size for size, _ in _words(meta >> 8, meta & 0xFF)), 0
    if kind in (17, 18, 19):
        return {17: 4, 18: 5, 19: 3}[kind] + _fraction(meta)[0], 0
    return (meta >> 8) + bool(meta & 0xFF) if kind == 16 else meta & 0xFF, 0  # BIT; ENUM and SET


def padded(meta: int) -> Decode:
    """Values of BINARY: the log leaves out the zeros at the end."""
    width = _width(meta)
    return lambda value: value.ljust(width, b"\0")


def uuid_text(value: bytes) -> str:
    """MariaDB's UUID."""
    return str(uuid.UUID(bytes=value.ljust(16, b"\0")))


def address_text(value: bytes) -> str:
    """MariaDB's INET6."""
    return socket.inet_ntop(socket.AF_INET6, value.ljust(16, b"\0"))


def short_address_text(value: bytes) -> str:
    """MariaDB's INET4."""
    return socket.inet_ntop(socket.AF_INET, value.ljust(4, b"\0"))


def _width(meta: int) -> int:
    """Bytes that a CHAR may have: the two bits above a byte stand, the other way round, in its type."""
    return (((meta >> 8) & 0x30) ^ 0x30) << 4 | meta & 0xFF


def _fixed(form: Struct) -> Read:
    unpack, size = form.unpack_from, form.size

    def read(data: bytes, at: int) -> tuple[object, int]:
        return unpack(data, at)[0], at + size

    return read


def _middle(*, unsigned: bool) -> Read:
    def read(data: bytes, at: int) -> tuple[object, int]:
        return int.from_bytes(data[at : at + 3], "little", signed=not unsigned), at + 3

    return read


def _text(size: int, decode: Decode) -> Read:
    if size == 1:

        def read_short(data: bytes, at: int) -> tuple[object, int]:
            end = at + 1 + data[at]
            return decode(data[at + 1 : end]), end

        return read_short

    def read(data: bytes, at: int) -> tuple[object, int]:
        begin = at + size
        end = begin + int.from_bytes(data[at:begin], "little")
        return decode(data[begin:end]), end

    return read


def _bits(size: int) -> Read:
    def read(data: bytes, at: int) -> tuple[object, int]:
        return int.from_bytes(data[at : at + size], "big"), at + size

    return read


def _enum(size: int, names: Sequence[object]) -> Read:
    """A member's number; 0 is what was no member."""

    def read(data: bytes, at: int) -> tuple[object, int]:
        number = int.from_bytes(data[at : at + size], "little")
        return names[number - 1] if number else "", at + size

    return read


def _set(size: int, names: Sequence[object]) -> Read:
    def read(data: bytes, at: int) -> tuple[object, int]:
        members = int.from_bytes(data[at : at + size], "little")
        return ",".join(str(name) for place, name in enumerate(names) if members >> place & 1), at + size

    return read


def _words(precision: int, scale: int) -> list[tuple[int, int]]:
    """Bytes and digits of each word of a DECIMAL: nine digits each, those next to the point whole, less at the ends."""
    heads = [(precision - scale) % _PER_WORD] + [_PER_WORD] * ((precision - scale) // _PER_WORD)
    tails = [_PER_WORD] * (scale // _PER_WORD) + [scale % _PER_WORD]
    return [(_BYTES_OF_DIGITS[digits], digits) for digits in heads + tails if digits]


def _decimal(precision: int, scale: int) -> Read:
    """The first bit says that a number is not negative; all the bits of a negative one are turned."""
    words, shift = [], 0
    for width, digits in reversed(_words(precision, scale)):
        words.append((shift, (1 << 8 * width) - 1, 10**digits))
        shift += 8 * width
    words.reverse()
    size, sign, turned = shift // 8, 1 << shift - 1, (1 << shift) - 1

    def read(data: bytes, at: int) -> tuple[object, int]:
        number = int.from_bytes(data[at : at + size], "big") ^ sign
        negative = number & sign
        if negative:
            number ^= turned
        total = 0
        for low, mask, power in words:
            total = total * power + (number >> low & mask)
        text = f"{'-' if negative else ''}{total:0{scale + 1}}"
        return Decimal(f"{text[:-scale]}.{text[-scale:]}" if scale else text), at + size

    return read


def _date(data: bytes, at: int) -> tuple[object, int]:
    packed = int.from_bytes(data[at : at + 3], "little")
    year, month, day = packed >> 9, packed >> 5 & 15, packed & 31
    try:
        return date(year, month, day), at + 3
    except ValueError:  # 0000-00-00, 2026-00-00: as the server writes it
        return f"{year:04}-{month:02}-{day:02}", at + 3


def _year(data: bytes, at: int) -> tuple[object, int]:
    return 1900 + data[at] if data[at] else 0, at + 1


def _fraction(places: int) -> tuple[int, int]:
    """Bytes of a second's fraction, and microseconds of its unit."""
    size = (places + 1) // 2
    return size, 10 ** (6 - 2 * size)


def _datetime(places: int) -> Read:
    size, unit = _fraction(places)
    zero = 1 << 39

    def read(data: bytes, at: int) -> tuple[object, int]:
        middle, end = at + 5, at + 5 + size
        packed = int.from_bytes(data[at:middle], "big") - zero
        months, day = packed >> 22, packed >> 17 & 31
        hour, minute, second = packed >> 12 & 31, packed >> 6 & 63, packed & 63
        micro = int.from_bytes(data[middle:end], "big") * unit
        try:
            return datetime.combine(date(months // 13, months % 13, day), time(hour, minute, second, micro)), end
        except ValueError:  # 0000-00-00 00:00:00: as the server writes it
            text = f"{months // 13:04}-{months % 13:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
            return text + _fraction_text(micro, places), end

    return read


def _timestamp(places: int) -> Read:
    size, unit = _fraction(places)

    def read(data: bytes, at: int) -> tuple[object, int]:
        middle, end = at + 4, at + 4 + size
        seconds = int.from_bytes(data[at:middle], "big")
        micro = int.from_bytes(data[middle:end], "big") * unit
        if not seconds and not micro:
            return "0000-00-00 00:00:00" + _fraction_text(0, places), end
        return _EPOCH + timedelta(seconds=seconds, microseconds=micro), end

    return read


def _time(places: int) -> Read:
    size, unit = _fraction(places)
    zero, low = 1 << 8 * (3 + size) - 1, (1 << 8 * size) - 1

    def read(data: bytes, at: int) -> tuple[object, int]:
        end = at + 3 + size
        signed = int.from_bytes(data[at:end], "big") - zero
        packed = abs(signed)
        whole = packed >> 8 * size
        span = timedelta(
            hours=whole >> 12 & 1023, minutes=whole >> 6 & 63, seconds=whole & 63, microseconds=(packed & low) * unit
        )
        return -span if signed < 0 else span, end

    return read


def _fraction_text(micro: int, places: int) -> str:
    return f".{micro:06}"[: 1 + places] if places else ""


_EPOCH = datetime.combine(date(1970, 1, 1), time())
_PLAIN: dict[int, Read] = {
    4: _fixed(Struct("<f")),
    5: _fixed(Struct("<d")),
    10: _date,
    13: _year,
}
