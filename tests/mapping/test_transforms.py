"""Transforms on the real PostgreSQL: what they understand, and that nothing makes them raise."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import psycopg
import pytest
from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number, parse
from stdnum import ean, iban
from stdnum.pl import nip, pesel, regon
from text_unidecode import unidecode

from onefold.mapping.sql import transform_sql, transform_types
from tests.mapping.asking import one, transformed

NASTY = (
    "", " ", "\t\n", "\u00a0", "\u200b", "---", "null", "NaN", "Infinity", "-infinity", "now", "epoch",
    "1e999999", "0x1F", "9" * 400, "-" * 400, "{}", "[]", "'", '"', "\\", "\\0", "%", "%s", "{{ x }}", "🦒",
    "株式会社", "ß", "ı", "İ", "e\u0301", "٣٤٥", "0000-00-00", "9999-99-99", "31.02.2024", "00.00.0000",
    "2024-02-30T25:61:61Z", "2024-01-01T00:00:60Z", "99999-01-01", "/Date(999999999999999)/",
    "/Date(-999999999999999)/", "/Date()/", "PT99H99M99S", "PT25H00M00S", "+48", "00", "@", "a@b", "UL.", "ul",
    "Sp. z o.o.", "S.A.", "I", "2024-01-01T00:00:00+99:99", "2024-01-01T00:00:00-1559",
)  # fmt: skip
ARGUMENTS = {"street": 3, "joined": 3, "total": 3} | dict.fromkeys(
    ("company_name", "sap_date_time", "minor_units", "person_name"), 2
)
"""How many values the tests give a transform that takes several; the others take one."""
LETTERS = "0123456789 .,-/:+@()TZtzPLplzoSAspółkaąęŁ\u00a0'\"\\\n"


def _garbage(rng: random.Random) -> str:
    if rng.random() < 0.2:
        return rng.choice(NASTY)
    return "".join(rng.choice(LETTERS) for _ in range(rng.randrange(1, 30)))


def _separated(digits: str, rng: random.Random) -> str:
    text = "".join(digit + rng.choice(("", "", "", "-", " ")) for digit in digits)
    return rng.choice(("", " ")) + text + rng.choice(("", " "))


def _numbers(length: int, check: Callable[[str], str], rng: random.Random) -> str:
    """A number of about this length: right, wrong in its check digit, or of another length; perhaps with separators."""
    body = "".join(rng.choice("0123456789") for _ in range(length - 1))
    number = body + (check(body) if rng.random() < 0.6 else rng.choice("0123456789"))
    if rng.random() < 0.05:
        number = number[: rng.randrange(length)]
    return _separated(number, rng)


@pytest.mark.parametrize("transform", sorted(transform_types()))
def test_no_input_makes_a_transform_raise(transform: str, server: psycopg.Connection) -> None:
    rng = random.Random(f"garbage {transform}")
    arguments = ARGUMENTS.get(transform, 1)
    rows: list[list[str | None]] = [[_garbage(rng) for _ in range(arguments)] for _ in range(10_000)]
    rows += [[None] * arguments]
    codes = {"A": "a", 'it\'s "<ł>"': "b"} if transform == "code" else None
    assert len(transformed(server, transform, rows, codes)) == 10_001


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


def test_nip_agrees_with_stdnum(server: psycopg.Connection) -> None:
    rng = random.Random("nip")

    def check(body: str) -> str:
        return next((digit for digit in "0123456789" if nip.checksum(body + digit) == 0), "0")

    values = [rng.choice(("", "", "PL", "PL ")) + _numbers(10, check, rng).lstrip() for _ in range(20_000)]
    expected = [nip.compact(value) if nip.is_valid(value) else None for value in values]
    assert transformed(server, "nip", [[value] for value in values]) == expected
    assert sum(value is not None for value in expected) > 8_000


def test_regon_agrees_with_stdnum(server: psycopg.Connection) -> None:
    rng = random.Random("regon")

    def long_check(body: str) -> str:
        start = body[:8] + regon.calc_check_digit(body[:8])
        return regon.calc_check_digit(start + body[9:])

    values = [_numbers(9, regon.calc_check_digit, rng) for _ in range(10_000)]
    for _ in range(10_000):
        body = "".join(rng.choice("0123456789") for _ in range(8))
        number = body + regon.calc_check_digit(body) + f"{rng.randrange(1, 10_000):04d}"
        values.append(number + (long_check(number) if rng.random() < 0.6 else rng.choice("0123456789")))
    expected = [regon.compact(value)[:9] if regon.is_valid(value) else None for value in values]
    assert transformed(server, "regon", [[value] for value in values]) == expected
    assert sum(value is not None for value in expected) > 8_000


def test_regon_knows_the_padding_of_the_court_register(server: psycopg.Connection) -> None:
    # As real extracts of the register write them: nine digits and 00000, which is not a check digit of the fourteen.
    assert one(server, "regon", "38290362500000") == "382903625"
    assert one(server, "regon", "01033457800000") == "010334578"
    assert not regon.is_valid("38290362500000")


def test_numbers_of_zeros_alone_are_not_understood(server: psycopg.Connection) -> None:
    assert [one(server, transform, "0" * length) for transform, length in (("nip", 10), ("regon", 9), ("krs", 10))] == [
        None, None, None,
    ]  # fmt: skip


def test_eu_vat_of_poland_agrees_with_stdnum(server: psycopg.Connection) -> None:
    rng = random.Random("vat")
    values = ["PL" + "".join(rng.choice("0123456789") for _ in range(10)) for _ in range(10_000)]
    expected = [value if nip.is_valid(value) else None for value in values]
    assert transformed(server, "eu_vat", [[value] for value in values]) == expected


def test_dates_and_moments_agree_with_python(server: psycopg.Connection) -> None:
    rng = random.Random("dates")
    parts = [(rng.randrange(1, 33), rng.randrange(1, 14), rng.randrange(1900, 2100)) for _ in range(10_000)]

    def real(day: int, month: int, year: int) -> date | None:
        try:
            return date(year, month, day)
        except ValueError:
            return None

    expected = [real(*part) for part in parts]
    assert transformed(server, "date_pl", [[f"{d:02d}.{m:02d}.{y}"] for d, m, y in parts]) == expected
    assert transformed(server, "date_iso", [[f"{y}-{m:02d}-{d:02d}"] for d, m, y in parts]) == expected
    moments = [datetime.fromtimestamp(rng.randrange(-(2**31), 2**32), UTC) for _ in range(10_000)]
    milliseconds = [[f"/Date({int(moment.timestamp()) * 1000})/"] for moment in moments]
    assert transformed(server, "timestamp_utc", milliseconds) == moments
    assert (
        transformed(server, "timestamp_utc", [[f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"] for moment in moments])
        == moments
    )


def test_pesel_agrees_with_stdnum(server: psycopg.Connection) -> None:
    rng = random.Random("pesel")
    values = []
    for _ in range(20_000):
        month = rng.randrange(1, 14) + rng.choice((0, 0, 20, 20, 40, 60, 80))
        body = f"{rng.randrange(100):02d}{month:02d}{rng.randrange(1, 33):02d}{rng.randrange(10_000):04d}"
        values.append(_separated(body + (pesel.calc_check_digit(body) if rng.random() < 0.8 else "0"), rng))
    expected = [pesel.compact(value) if pesel.is_valid(value) else None for value in values]
    assert transformed(server, "pesel", [[value] for value in values]) == expected
    assert sum(value is not None for value in expected) > 8_000


def test_iban_agrees_with_stdnum(server: psycopg.Connection) -> None:
    rng = random.Random("iban")
    values = []
    for _ in range(20_000):
        country, length = rng.choice((("PL", 24), ("PL", 24), ("DE", 18), ("CZ", 20), ("LT", 16)))
        account = "".join(rng.choice("0123456789") for _ in range(length))
        right = iban.calc_check_digits(f"{country}00{account}")
        number = country + (right if rng.random() < 0.6 else f"{rng.randrange(100):02d}") + account
        if rng.random() < 0.05:
            number = number[:-1]
        values.append(" ".join(number[place : place + 4] for place in range(0, len(number), 4)))
    expected = [iban.compact(value) if iban.is_valid(value) else None for value in values]
    assert transformed(server, "iban", [[value] for value in values]) == expected
    assert sum(value is not None for value in expected) > 8_000
    polish = [value for value in expected if value and value.startswith("PL")]
    assert transformed(server, "iban", [[value[2:]] for value in polish]) == polish


def test_ean_agrees_with_stdnum(server: psycopg.Connection) -> None:
    rng = random.Random("ean")
    values = []
    for _ in range(20_000):
        body = "".join(rng.choice("0123456789") for _ in range(rng.choice((7, 11, 12, 12, 13, 9))))
        values.append(_separated(body + (ean.calc_check_digit(body) if rng.random() < 0.7 else "5"), rng))
    compact = [ean.compact(value) if ean.is_valid(value) else None for value in values]
    expected = [f"0{value}" if value and len(value) == 12 else value for value in compact]
    assert transformed(server, "ean", [[value] for value in values]) == expected
    assert sum(value is not None for value in expected) > 8_000


def test_polish_and_international_phones_agree_with_phonenumbers(server: psycopg.Connection) -> None:
    rng = random.Random("phones")
    values = []
    for _ in range(20_000):
        national = str(rng.randrange(1, 10)) + "".join(rng.choice("0123456789") for _ in range(8))
        prefix = rng.choice(("", "+48 ", "0048", "48", "+48", "(+48) "))
        values.append(prefix + " ".join((national[:3], national[3:6], national[6:])))
    values += [f"+{rng.choice(('49', '420', '44', '33'))} {rng.randrange(10**8, 10**9)}" for _ in range(2_000)]

    def theirs(value: str) -> str | None:
        try:
            digits = "".join(filter(str.isdigit, value))
            number = parse(f"+{value}" if len(digits) == 11 and value.startswith("48") else value, "PL")
        except NumberParseException:
            return None
        return format_number(number, PhoneNumberFormat.E164) if is_possible_number(number) else None

    ours = transformed(server, "phone_e164", [[value] for value in values])
    assert sum(value is not None for value in ours) > 20_000
    assert [(v, o) for v, o in zip(values, ours, strict=True) if o != theirs(v)] == []


def test_transliteration_agrees_with_unidecode_on_the_letters_of_names(server: psycopg.Connection) -> None:
    letters = "aąbcćdeęfghijklłmnńoópqrsśtuvwxyzźżAĄBCĆDEĘLŁNŃOÓSŚZŹŻáčďéěíňřšťúůýžäöüåñçàèêîôûõãăâșțøőű '-.&"
    rng = random.Random("transliterated")
    values = ["x" + "".join(rng.choice(letters) for _ in range(rng.randrange(2, 24))).strip() for _ in range(12_000)]
    expected = [" ".join(unidecode(value).split()) for value in values]
    assert transformed(server, "transliterated", [[value] for value in values]) == expected
    assert [one(server, "transliterated", name) for name in ("Straße", "Œuvre", "„Żółw”", "株式会社")] == [
        "Strasse", "OEuvre", '"Zolw"', None,
    ]  # fmt: skip


def test_amounts_agree_with_decimal(server: psycopg.Connection) -> None:
    rng = random.Random("amounts")
    whole = [rng.randrange(-(10**12), 10**12) for _ in range(10_000)]
    assert transformed(server, "cents", [[str(value)] for value in whole]) == [Decimal(value) / 100 for value in whole]
    for currency, digits in (("PLN", 2), ("jpy", 0), ("KWD", 3)):
        expected = [Decimal(value).scaleb(-digits) for value in whole]
        assert transformed(server, "minor_units", [[str(value), currency] for value in whole]) == expected
    assert one(server, "minor_units", "1050", None) is None
    shown = [f"{value / 100:,.2f}".translate(str.maketrans(",.", "\u00a0,")) for value in whole]
    assert transformed(server, "decimal_comma", [[text] for text in shown]) == [
        Decimal(f"{value / 100:.2f}") for value in whole
    ]


def test_unix_seconds_agree_with_python(server: psycopg.Connection) -> None:
    rng = random.Random("unix")
    moments = [datetime.fromtimestamp(rng.randrange(0, 2**32), UTC) for _ in range(10_000)]
    seconds = [[str(int(moment.timestamp()))] for moment in moments]
    assert transformed(server, "timestamp_unix", seconds) == moments
    days = [moment.astimezone(ZoneInfo("Europe/Warsaw")).date() for moment in moments]
    assert transformed(server, "date_unix", seconds) == days
    assert transformed(server, "date_of_moment", [[f"{moment:%Y-%m-%dT%H:%M:%SZ}"] for moment in moments]) == days
    compact = [[f"{day:%Y%m%d}"] for day in days]
    assert transformed(server, "date_sap", compact) == days


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
        ("postal_code_pl", "00 950", "00-950"),
        ("postal_code_pl", "ABCDE", None),
        ("country_iso2", "Wielka Brytania", "GB"),
        ("country_iso2", "XX", None),
        ("city", "KOSTRZYN NAD ODRĄ", "Kostrzyn nad Odrą"),
        ("street", "ul. 3 Maja", "3 Maja"),
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
        ("legal_form_of", "Jan Nowak", None),
    ],
)  # fmt: skip
def test_what_is_understood(transform: str, given: str, then: object, server: psycopg.Connection) -> None:
    assert one(server, transform, given) == then


def test_one_address_written_in_several_ways_is_one_street(server: psycopg.Connection) -> None:
    as_text = ["ul. Młynarska 42a m. 5", "UL.MŁYNARSKA 42A/5", "Młynarska 42 A lok. 5", "ulica Młynarska 42a / 5"]
    assert {one(server, "street", text) for text in as_text} == {"Młynarska 42A/5"}
    assert one(server, "street", "UL. MŁYNARSKA", "42a", "m. 5") == "Młynarska 42A/5"
