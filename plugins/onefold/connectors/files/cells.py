"""Cells as JSON: numbers as exact decimal text, dates as ISO text, yes and no as booleans, nothing as null.

A text that is not written as the format says is not guessed ("1.234" where the decimal mark is a comma): it is given as
it was received, with the reason, so that the gate refuses its row and a replay finds what was sent.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from onefold.catalog.fields import SourceField
from onefold.catalog.file_format import SERIAL, Format

Cell = str | int | float | Decimal | bool | date | datetime | time | timedelta | None

FORMULA = "\t"
"""What stands before the text of a formula that somebody's spreadsheet has computed: the gate refuses it always."""
_YES = frozenset({"tak", "t", "prawda", "yes", "y", "true", "ja", "1"})
_NO = frozenset({"nie", "n", "fałsz", "no", "false", "nein", "f", "0"})
_SPACES = re.compile(r"[ \u00a0\u202f]")
_NUMBER = {
    ",": re.compile(r"[+-]?[0-9]+(?:,[0-9]+)?"),
    ".": re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"),
}
_NO_DAY = re.compile(r"0{4}[-./]?00[-./]?00(?:[ T]00:00(?::00(?:\.0+)?)?)?|00[-./]00[-./]0{4}")
"""How systems without an empty date write that there is none."""
WINDOWS_EPOCH = datetime.combine(date(1899, 12, 30), time.min)
"""The day from which workbooks count days, but for those that say that they count from 1904-01-01."""
_LAST_SERIAL = 2_958_465  # 9999-12-31
_NO_LEAP_DAY = 60
"""Excel's number of 1900-02-29, a day that there was not; the days before it are counted from one day later."""
_DAY_IN_MILLISECONDS = 86_400_000

Reading = tuple[object, str | None]
"""A value as JSON, and why it could not be read; it is then as it was received."""


def read_cell(cell: Cell, field: SourceField, form: Format, epoch: datetime = WINDOWS_EPOCH) -> Reading:
    """The cell as a value of the field's type; `epoch` is the day from which the workbook counts days."""
    if isinstance(cell, str):
        return (cell, None) if cell.startswith(FORMULA) else _from_text(cell.strip(), field, form)
    if cell is None or isinstance(cell, bool):
        return cell, None
    if isinstance(cell, (int, float, Decimal)):
        return _from_number(Decimal(repr(cell) if isinstance(cell, float) else cell), field, epoch)
    if isinstance(cell, timedelta):
        return _duration(cell), None
    if isinstance(cell, datetime) and field.type == "date":
        return cell.date().isoformat(), None
    return cell.isoformat(), None


def _from_number(number: Decimal, field: SourceField, epoch: datetime) -> Reading:
    text = format(number, "f")
    if field.type in ("date", "timestamp"):
        return _from_serial(text, field, epoch)
    if field.type == "boolean":
        return _from_word(text)
    if field.type != "numeric" and number == number.to_integral_value():
        return format(number.to_integral_value(), "f"), None  # an identifier that a sheet holds as 1234.0
    return text, None


def _from_text(text: str, field: SourceField, form: Format) -> Reading:
    if not text:
        return None, None
    if field.type == "text":
        return text, None
    match field.type:
        case "numeric" | "integer":
            return _number(text, field, form)
        case "boolean":
            return _from_word(text)
        case "date" | "timestamp" if text.startswith("00") and _NO_DAY.fullmatch(text):
            return None, None
        case "date":
            return _day(text, field, form)
    return text, None


def _number(text: str, field: SourceField, form: Format) -> Reading:
    number = _SPACES.sub("", text)
    if hundredths := number.endswith("%"):
        number = number[:-1]
    if not _NUMBER[form.decimal].fullmatch(number):
        return text, f"no number with the decimal mark {form.decimal!r}"
    number = number.replace(",", ".")
    if hundredths:
        number = format(Decimal(number).scaleb(-2), "f")  # as Excel holds 23%: 0.23
    if field.type == "integer" and "." in number and Decimal(number) == Decimal(number).to_integral_value():
        number = number.partition(".")[0]
    return number, None


def _day(text: str, field: SourceField, form: Format) -> Reading:
    if form.dates == SERIAL:
        return _from_serial(text, field, WINDOWS_EPOCH)
    try:
        if form.dates:
            return datetime.strptime(text, form.dates).date().isoformat(), None
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text, f"no date written as {form.dates or 'YYYY-MM-DD'}"
    if moment.time() != time.min:
        return text, "a moment, not a date"
    return moment.date().isoformat(), None


def _from_serial(text: str, field: SourceField, epoch: datetime) -> Reading:
    """Days since 1899-12-30 (or 1904-01-01), as Excel counts them; a fraction is the time of day."""
    try:
        days = Decimal(text)
    except ArithmeticError:
        return text, "no number of a day as Excel counts them"
    if days == 0:
        return None, None
    if not 1 <= days <= _LAST_SERIAL:
        return text, "no number of a day as Excel counts them"
    day, time_of_day = divmod(days, 1)
    whole = int(day) + (days < _NO_LEAP_DAY and epoch == WINDOWS_EPOCH)
    try:
        moment = epoch + timedelta(days=whole, milliseconds=round(time_of_day * _DAY_IN_MILLISECONDS))
    except OverflowError:  # counted from 1904, the last numbers lie behind the year 9999
        return text, "no number of a day as Excel counts them"
    return (moment.date() if field.type == "date" else moment).isoformat(), None


def _from_word(text: str) -> Reading:
    word = text.lower()
    if word in _YES or word in _NO:
        return word in _YES, None
    return text, "neither yes nor no"


def _duration(duration: timedelta) -> str:
    """Hours, minutes and seconds, as a sheet shows them: 25:30:00."""
    seconds = Decimal(duration // timedelta(microseconds=1)).scaleb(-6)
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    whole, _, fraction = format(left.normalize(), "f").partition(".")
    return f"{sign}{int(hours):02}:{int(minutes):02}:{int(whole):02}" + (f".{fraction}" if fraction else "")
