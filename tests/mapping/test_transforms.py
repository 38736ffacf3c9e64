"""Transforms on the real PostgreSQL: what they understand, and that nothing makes them raise."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest
from stdnum.pl import regon

from onefold.mapping.sql import transform_sql, transform_types
from tests.effort import TORTURE
from tests.mapping.asking import one, transformed

NASTY = (
    "", " ", "\t\n", "\u00a0", "\u200b", "---", "null", "NaN", "Infinity", "-infinity", "now", "epoch",
    "1e999999", "0x1F", "9" * 400, "-" * 400, "{}", "[]", "'", '"', "\\", "\\0", "%", "%s", "{{ x }}", "🦒",
    "株式会社", "ß", "ı", "İ", "e\u0301", "٣٤٥", "0000-00-00", "9999-99-99", "31.02.2024", "00.00.0000",
    "2024-02-30T25:61:61Z", "2024-01-01T00:00:60Z", "99999-01-01", "/Date(999999999999999)/",
    "/Date(-999999999999999)/", "/Date()/", "PT99H99M99S", "PT25H00M00S", "+48", "00", "@", "a@b", "UL.", "ul",
    "Sp. z o.o.", "S.A.", "I", "2024-01-01T00:00:00+99:99", "2024-01-01T00:00:00-1559",
)  # fmt: skip

ARGUMENTS = {
    "street": 3,
    "joined": 3,
    "total": 3,
    "shop_line_net": 4,
    "shop_order_net": 4,
    "first_of": 2,
    "first_number": 2,
    "first_date": 2,
} | dict.fromkeys(("company_name", "sap_date_time", "person_name", "stripe_amount", "status_krs"), 2)
"""How many values the tests give a transform that takes several; the others take one."""

WORDS = (
    *NASTY, "Plac", "al.", "os", "m.", "5", "16/22", "/4", "GmbH", "&", "Co.", "KG", "z", "o.o.", "W", "[1,", "TAK",
)  # fmt: skip
"""What a transform knows, at places where it does not expect it."""

GARBAGE = 10_000 if TORTURE else 2_500
"""How many rows of it each transform gets."""

LETTERS = "0123456789 .,-/:+@()TZtzPLplzoSAspółkaąęŁ\u00a0'\"\\\n"


def _garbage(rng: random.Random) -> str:
    if rng.random() < 0.2:
        return rng.choice(("", " ")).join(rng.choices(WORDS, k=rng.randrange(1, 4)))
    if rng.random() < 0.2:
        return rng.choice(NASTY)
    return "".join(rng.choice(LETTERS) for _ in range(rng.randrange(1, 30)))


@pytest.mark.parametrize("transform", sorted(transform_types()))
def test_no_input_makes_a_transform_raise(transform: str, server: psycopg.Connection) -> None:
    rng = random.Random(f"garbage {transform}")
    arguments = ARGUMENTS.get(transform, 1)
    rows: list[list[str | None]] = [[_garbage(rng) for _ in range(arguments)] for _ in range(GARBAGE)]
    rows += [[None] * arguments]
    codes = {"A": "a", 'it\'s "<ł>"': "b"} if transform == "code" else None
    assert len(transformed(server, transform, rows, codes)) == GARBAGE + 1


def test_a_moment_that_is_beyond_the_calendar_on_some_clock_is_not_understood(server: psycopg.Connection) -> None:
    """Python, pandas and others hold the years 1 to 9999, and fail with another for a whole result."""
    beyond = {
        "timestamp_utc": ("9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00+14:00", "/Date(253402300799999)/"),
        "timestamp_pl": ("31.12.9999 23:59:59", "01.01.0001"),
        "timestamp_unix": ("253402300799", "-62135596800"),
        "date_of_moment": ("9999-12-31T23:30:00Z", "9999-12-31T23:59:59-14:00"),
        "date_utc": ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"),
        "date_unix": ("253402300799", "-62135596800"),
    }
    for transform, texts in beyond.items():
        assert transformed(server, transform, [[text] for text in texts]) == [None] * len(texts), transform
    assert one(server, "date_of_moment", "9999-12-31") == date(9999, 12, 31)
    assert one(server, "timestamp_utc", "9999-12-30T23:59:59Z") == datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC)
    assert one(server, "date_of_moment", "0001-01-02T00:00:00Z") == date(1, 1, 2)


@pytest.mark.parametrize("transform", sorted(set(transform_types()) - {"status_by_end_date"}))
def test_nothing_given_is_null(transform: str, server: psycopg.Connection) -> None:
    arguments = ARGUMENTS.get(transform, 1)
    codes = {"A": "a"} if transform == "code" else None
    rows = [[nothing] * arguments for nothing in (None, "", "  ", "\u00a0")]
    assert transformed(server, transform, rows, codes) == [None] * 4


@pytest.mark.parametrize("transform", sorted(transform_types()))
def test_a_transform_gives_the_type_that_its_file_says(transform: str, server: psycopg.Connection) -> None:
    arguments = ["null::text"] * ARGUMENTS.get(transform, 1)
    codes = {"A": "a"} if transform == "code" else None
    kind = f"select pg_typeof({transform_sql(transform, *arguments, codes=codes)})::text"
    said = {"timestamptz": "timestamp with time zone"}
    gives = transform_types()[transform]
    assert server.execute(kind.encode()).fetchone() == (said.get(gives, gives),)


def test_regon_knows_the_padding_of_the_court_register(server: psycopg.Connection) -> None:
    # As real extracts of the register write them: nine digits and 00000, which is not a check digit of the fourteen.
    assert one(server, "regon", "38290362500000") == "382903625"
    assert one(server, "regon", "01033457800000") == "010334578"
    assert not regon.is_valid("38290362500000")


def test_numbers_of_zeros_alone_are_not_understood(server: psycopg.Connection) -> None:
    assert [one(server, transform, "0" * length) for transform, length in (("nip", 10), ("regon", 9), ("krs", 10))] == [
        None, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("transform", "given", "then"),
    [
        ("company_name", "PKP ŻUBR SPÓŁKA AKCYJNA", "PKP Żubr S.A."),
        ("company_name", "alfa sp. z o. o. sp.k.", "Alfa Sp. z o.o. Sp. k."),
        ("company_name", "ALFA SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ SPÓŁKA KOMANDYTOWA", "Alfa Sp. z o.o. Sp. k."),
        ("company_name", "Alfa Spolka z ograniczona odpowiedzialnoscia", "Alfa Sp. z o.o."),
        ("company_name", "eBeta S.A", "eBeta S.A."),
        ("company_name", "Alfa, sp.z o.o. , sp.k", "Alfa Sp. z o.o. Sp. k."),
        ("company_name", "Spedycja Alfa Spółka", "Spedycja Alfa Spółka"),
        ("company_name", "Grupa S A", "Grupa S A"),
        ("company_name", "Sp. z o.o.", "Sp. z o.o."),
        ("krs", "779880", "0000779880"),
        ("krs", "010334578", None),
        ("eu_vat", "EL 123456789", "EL123456789"),
        ("eu_vat", "GR123456789", None),
        ("email", "mailto:Biuro@Żółw.PL", "biuro@żółw.pl"),
        ("email", "a..b@c.pl", None),
        ("phone_e164", "+48 (0) 22 123-45-67 wew. 12", "+48221234567"),
        ("phone_e164", "0048 22 123", None),
        ("phone_e164", "+49 30 1234567", "+49301234567"),
        ("postal_code", "00 950", "00-950"),
        ("postal_code", "ABCDE", None),
        ("country_iso2", "Wielka Brytania", "GB"),
        ("country_iso2", "XX", None),
        ("city", "KOSTRZYN NAD ODRĄ", "Kostrzyn nad Odrą"),
        ("city", "FRANKFURT AM MAIN", "Frankfurt am Main"),
        ("city", "RIO DE JANEIRO", "Rio de Janeiro"),
        ("street", "ul. 3 Maja", "3 Maja"),
        ("street", "ul. Krucza 16/22 m. 4", "Krucza 16/22 m. 4"),
        ("street", "Krucza 16/22/4", "Krucza 16/22 m. 4"),
        ("street", "Krucza 16 / 22 lok. 4", "Krucza 16/22 m. 4"),
        ("street", "Plac 5", "Pl. 5"),
        ("street", "ALEJE JEROZOLIMSKIE 12A LOK. 5", "Al. Jerozolimskie 12A/5"),
        ("decimal_comma", "5000,00", Decimal("5000.00")),
        ("decimal_comma", "12 000.50", Decimal("12000.50")),
        ("decimal_comma", "5.000", None),
        ("numeric", "do uzgodnienia", None),
        ("timestamp_utc", "2026-01-31T10:00:00.1234567", datetime(2026, 1, 31, 10, 0, 0, 123456, UTC)),
        ("date_pl", "03.04.20199", None),
        ("date_pl", "2019-04-03", date(2019, 4, 3)),
        ("timestamp_pl", "18.07.2024 12:30:00", datetime(2024, 7, 18, 10, 30, tzinfo=UTC)),
        ("timestamp_pl", "18.07.2024", datetime(2024, 7, 17, 22, tzinfo=UTC)),
        ("currency_iso4217", "zł", "PLN"),
        ("boolean", "TAK", True),
        ("boolean", "może", None),
        ("integer", "00012.0", 12),
        ("integer", "1.5", None),
        ("date_sap", "00000000", None),
        ("date_sap", "20260229", None),
        ("date_of_moment", "2026-01-31T23:30:00Z", date(2026, 2, 1)),
        ("date_of_moment", "2026-01-31", date(2026, 1, 31)),
        ("person_name", "JAN NOWAK-ŻUK", "Jan Nowak-Żuk"),
        ("person_name", "Jan van der Berg", "Jan van der Berg"),
        ("legal_form_of", "SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ", "Sp. z o.o."),
        ("legal_form_of", "PKP Żubr SPÓŁKA AKCYJNA", "S.A."),
        ("legal_form_of", '"ALFA SPÓŁKA AKCYJNA"', "S.A."),
        ("legal_form_of", "Jan Nowak", None),
    ],
)  # fmt: skip
def test_what_is_understood(transform: str, given: str, then: object, server: psycopg.Connection) -> None:
    assert one(server, transform, given) == then


def test_one_address_written_in_several_ways_is_one_street(server: psycopg.Connection) -> None:
    as_text = ["ul. Młynarska 42a m. 5", "UL.MŁYNARSKA 42A/5", "Młynarska 42 A lok. 5", "ulica Młynarska 42a / 5"]
    assert {one(server, "street", text) for text in as_text} == {"Młynarska 42A/5"}
    assert one(server, "street", "UL. MŁYNARSKA", "42a", "m. 5") == "Młynarska 42A/5"
