"""Text from a source, on its way to a terminal or a spreadsheet: it is shown, and never carried out."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What moves a cursor, changes a terminal or turns the direction of writing; not tab, line feed and carriage return."""
_FORMULA = re.compile(r"\s*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d[\d\s.,]*(e[+-]?\d+)?%?", re.IGNORECASE)


def visible(text: str) -> str:
    r"""The text with its control characters written out: `\x1b` for an escape."""
    return _CONTROL.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def json_visible(text: str) -> str:
    """JSON with the control characters in its strings escaped: the same values."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def spreadsheet_text(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: an apostrophe stands before what begins like one.

    Numbers begin so too and stay as they are. Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    shown = visible(text)
    return f"'{shown}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text.strip()) else shown
