"""How Debezium writes a database's values, by the schema that comes with an event, made the JSON that protocol sql
makes of the same row (Debezium: "Data type mappings" of each connector; Kafka Connect: org.apache.kafka.connect.data).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from onefold.connectors.debezium.placeholders import is_unavailable
from onefold.connectors.sql.values import clock_text, instant

Write = Callable[[bytes], bytes]
"""Makes JSON of a value that is JSON as Debezium writes it. It is never given null."""

_EPOCH = datetime.combine(date(1970, 1, 1), time())
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode
_TEXT = msgspec.json.Decoder(str).decode
_NUMBER = re.compile(rb'"(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)"')
_NO_NUMBER = {"NAN": "NaN", "POSITIVE_INFINITY": "Infinity", "NEGATIVE_INFINITY": "-Infinity"}


def number_of_text(value: bytes) -> bytes:
    """A number that is written as a text (decimal.handling.mode: string), as a number."""
    if found := _NUMBER.fullmatch(value):
        return found[1]
    if value[:1] != b'"':
        return value
    text = _TEXT(value)
    return _ENCODE(_NO_NUMBER.get(text, text))


def truth(value: bytes) -> bytes:
    """MySQL's BOOLEAN is a small number."""
    return {b"0": b"false", b"1": b"true"}.get(value, value)


def document(value: bytes) -> bytes:
    """A JSON document that is written as a text; what is no document stays a text."""
    if value[:1] != b'"':
        return value
    inside = _TEXT(value).encode()
    try:
        _DECODE(inside)
    except (msgspec.DecodeError, RecursionError):
        return value
    return inside


def _decimal(scale: int) -> Write:
    """The bytes of an unscaled number, the greatest first, in base64."""
    return lambda value: _scaled(int.from_bytes(_unpacked(value), "big", signed=True), scale)


def _unpacked(value: bytes) -> bytes:
    return base64.b64decode(_TEXT(value), validate=True)


def _scaled(unscaled: int, scale: int) -> bytes:
    if scale <= 0:
        return str(unscaled * 10**-scale).encode()
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    return f"{'-' if unscaled < 0 else ''}{digits[:-scale]}.{digits[-scale:]}".encode()


class _VariableScale(msgspec.Struct):
    scale: int
    value: bytes


def variable_scale(value: bytes) -> bytes:
    """A number that brings its scale along: numeric without one."""
    found = msgspec.json.decode(value, type=_VariableScale)
    return _scaled(int.from_bytes(found.value, "big", signed=True), found.scale)


def day(value: bytes) -> bytes:
    """Days since 1970."""
    try:
        return b'"%b"' % (date(1970, 1, 1) + timedelta(days=int(value))).isoformat().encode()
    except OverflowError:
        return _ENCODE(f"{int(value)} days from 1970")  # for the gate to see: before Christ, after 9999, infinity


def iso_day(value: bytes) -> bytes:
    """2026-02-28Z"""
    return _ENCODE(_TEXT(value).removesuffix("Z"))


def _stamp(nanoseconds: int, zone: ZoneInfo) -> Write:
    """Units of so many nanoseconds since 1970, by the clock of the zone."""

    def write(value: bytes) -> bytes:
        microseconds, rest = divmod(int(value) * nanoseconds, 1000)
        try:
            at = instant(_EPOCH + timedelta(microseconds=microseconds), zone)
        except OverflowError:
            return _ENCODE(f"{int(value)} of {nanoseconds} ns from 1970")
        if rest:
            return b'"%b%03dZ"' % (str(at)[:-1].ljust(26, "0").encode(), rest)
        return _ENCODE(at)

    return write


def iso_stamp(value: bytes) -> bytes:
    """2026-10-25T00:30:00.123456Z"""
    return _iso_stamp_in(None, value)


def _iso_stamp_in(zone: ZoneInfo | None, value: bytes) -> bytes:
    """The instant; by the clock of the zone, whatever zone is written beside it, unless that is None."""
    try:
        at = datetime.fromisoformat(_TEXT(value))
    except ValueError:  # infinity, before Christ, after 9999
        return value
    return _ENCODE(instant(at if zone is None else at.replace(tzinfo=None), zone or ZoneInfo("UTC")))


def _clock(nanoseconds: int) -> Write:
    """Units of so many nanoseconds since midnight; MySQL's are spans of up to 838 hours, either way."""

    def write(value: bytes) -> bytes:
        return _ENCODE(clock_text(timedelta(microseconds=int(value) * nanoseconds // 1000)))

    return write


def _iso_clock(value: bytes) -> bytes:
    """03:04:05.5Z"""
    return _ENCODE(_TEXT(value).removesuffix("Z"))


def _bits(length: int) -> Write:
    """Bytes, the least first, of so many bits."""

    def write(value: bytes) -> bytes:
        number = int.from_bytes(_unpacked(value), "little")
        return b'"%b"' % f"{number:0{length}b}".encode()

    return write


def _each(write: Write) -> Write:
    def write_all(value: bytes) -> bytes:
        if is_unavailable(value):
            return value
        items = msgspec.json.decode(value, type=list[msgspec.Raw])
        return b"[%b]" % b",".join(b"null" if bytes(each) == b"null" else write(bytes(each)) for each in items)

    return write_all


_MILLI, _MICRO, _NANO = 1_000_000, 1_000, 1


def writer(schema: dict[str, Any], zone: ZoneInfo) -> Write | None:
    """What makes JSON of the values of a column with this schema; None where they stay as they are.

    `zone` is of stamps without one.
    """
    name, parameters = schema.get("name") or "", schema.get("parameters") or {}
    if schema.get("type") == "array":
        inner = writer(schema.get("items") or {}, zone)
        return _each(inner) if inner else None
    match name:
        case "org.apache.kafka.connect.data.Decimal":
            return _decimal(int(parameters["scale"]))
        case "io.debezium.time.Timestamp" | "org.apache.kafka.connect.data.Timestamp":
            return _stamp(_MILLI, zone)
        case "io.debezium.time.MicroTimestamp":
            return _stamp(_MICRO, zone)
        case "io.debezium.time.NanoTimestamp":
            return _stamp(_NANO, zone)
        case "io.debezium.time.IsoTimestamp":
            return partial(_iso_stamp_in, zone)
        case "io.debezium.data.Bits":
            return _bits(int(parameters["length"]))
    return _BY_NAME.get(name)


_BY_NAME: dict[str, Write] = {
    "io.debezium.data.VariableScaleDecimal": variable_scale,
    "io.debezium.time.Date": day,
    "org.apache.kafka.connect.data.Date": day,
    "io.debezium.time.IsoDate": iso_day,
    "io.debezium.time.ZonedTimestamp": iso_stamp,
    "io.debezium.time.Time": _clock(_MILLI),
    "org.apache.kafka.connect.data.Time": _clock(_MILLI),
    "io.debezium.time.MicroTime": _clock(_MICRO),
    "io.debezium.time.NanoTime": _clock(_NANO),
    "io.debezium.time.IsoTime": _iso_clock,
    "io.debezium.data.Json": document,
}
