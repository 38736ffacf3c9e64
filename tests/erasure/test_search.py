"""PostgreSQL finds every text in which a value of the person is found, however it is spelled."""

from __future__ import annotations

import json

import psycopg
import pytest

from onefold.privacy.values import KnownValues, PersonalValue, email, pesel

VALUES = [
    *(email("j.o'neil_x%2@firma.example"), pesel("44051401359"), PersonalValue("phone", "601222333")),
    PersonalValue("name", "zofia brzezinska"),
]
SPELLINGS = {
    "email": ["J.O'Neil_X%2@Firma.Example", "to: j.o'neil_x%2@firmä.example;"],
    "pesel": ["PESEL 44051401359."],
    "phone": ["+48 601-222-333", "601 222 333", "(60) 1222333", "601\n222\t333", "0048601\u00a0222\u00a0333"],
    "name": [
        "Zofia Brzezińska",
        "BRZEZINSKA, Zofia",
        "zofia\nbrzezińska",
        "Zofia\r\n\tBrzezińska",
        "Zofia\u00a0Brzezińska",
    ],
}
OTHERS = [
    "joneil_x%2@firma.example",
    "j.o'neilyx%2@firma.example",
    "44051401358",
    "601222334",
    "Zofia B. Rzezińska",
    "Adam",
]


@pytest.mark.parametrize("value", VALUES, ids=SPELLINGS)
def test_postgresql_finds_each_spelling_in_text_and_in_json(value: PersonalValue, loader_url: str) -> None:
    spellings = SPELLINGS[value.kind]
    assert [text for text in spellings if not KnownValues([value]).find(text, personal=True)] == []
    cases = {
        "x": [*spellings, *(json.dumps({"a": text}, ensure_ascii=False) for text in spellings)],
        "x::jsonb::text": [json.dumps([text]) for text in spellings],
    }
    missed = "select x from unnest(%s::text[]) as x where {} !~ %s"
    with psycopg.connect(loader_url) as connection:
        for pattern in (KnownValues([value]).sql_pattern, KnownValues(VALUES).sql_pattern):
            for text, given in cases.items():
                assert connection.execute(missed.format(text), [given, pattern]).fetchall() == []
        others = connection.execute(missed.format("x"), [OTHERS, KnownValues(VALUES).sql_pattern]).fetchall()
        assert [text for (text,) in others] == OTHERS
