"""What a source has written is shown in a terminal and a spreadsheet, and never carried out."""

from __future__ import annotations

import json

import pytest

from onefold.commands.safe_output import json_visible, spreadsheet_text, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("abc\u202egnp.exe", r"abc\u202egnp.exe"),
        ("line\nline\ttab", "line\nline\ttab"),
        ("Łódź ŻÓŁĆ 🙂", "Łódź ŻÓŁĆ 🙂"),
        ("\x00\x7f\x08", r"\x00\x7f\x08"),
    ],
)
def test_a_control_character_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_escaped_json_has_the_same_values() -> None:
    value = {"a": "\x9b2J \u202e", "b": ["\x7f"]}
    text = json_visible(json.dumps(value, ensure_ascii=False))
    assert "\x9b" not in text
    assert "\u202e" not in text
    assert json.loads(text) == value


@pytest.mark.parametrize("text", ['=HYPERLINK("x")', "+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\t=1", " =1", "\r=1"])
def test_a_formula_is_a_text_in_a_spreadsheet(text: str) -> None:
    assert spreadsheet_text(text) == f"'{visible(text)}"


@pytest.mark.parametrize("text", ["-12.50", "+48221234567", "-1 234,50", "1e-5", "-5%", "ul. Nowa 1", "a=b", ""])
def test_a_number_or_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert spreadsheet_text(text) == text
