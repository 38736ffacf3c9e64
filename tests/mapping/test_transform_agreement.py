"""Transforms on the real PostgreSQL agree with the libraries that know each format."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import psycopg
from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number, parse
from stdnum import ean, iban
from stdnum.pl import nip, pesel, regon
from text_unidecode import unidecode

from tests.mapping.asking import one, transformed


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


def test_stripe_amounts_follow_stripes_own_exponents_not_iso_4217(server: psycopg.Connection) -> None:
    """The tables of docs.stripe.com/currencies: zero-decimal, three-decimal, special cases; else two places."""
    places = {
        0: "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF",
        3: "BHD JOD KWD OMR TND",
        2: "ISK UGX HUF TWD PLN EUR USD MRU LYD IQD",
    }
    exponents = {currency: digits for digits, listed in places.items() for currency in listed.split()}
    rows = [[amount, currency.lower()] for currency in exponents for amount in ("500", "123450", "-7", "0")]
    expected = [Decimal(amount).scaleb(-exponents[currency.upper()]) for amount, currency in rows]
    assert transformed(server, "stripe_amount", rows) == expected
    assert one(server, "stripe_amount", "1050", None) is None
