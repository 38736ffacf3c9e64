"""What countries are called: in Polish, English, German and their own languages, from CLDR and ISO 3166."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from functools import cache

import pycountry
from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.languages import get_official_languages

EVERYWHERE = ("pl", "en", "de")
"""The languages in which every country's name is understood; each is understood in its own languages too."""
NEIGHBOURS = ("fr", "es", "it", "cs", "uk", "ru")
"""Languages in which a country's name is understood when no country has it in the languages above."""
USUAL = {
    "US": ["US of A", "America", "Stany", "Vereinigte Staaten von Amerika", "Stany Zjednoczone Ameryki Północnej"],
    "GB": ["UK", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland", "Anglia", "Szkocja",
           "Walia", "Wlk. Brytania", "W. Brytania", "Irlandia Północna", "Großbritannien",
           "Zjednoczone Królestwo", "Schottland", "XI"],
    "AE": ["UAE", "ZEA", "Emiraty Arabskie", "VAE"],
    "ZA": ["RPA", "RSA"],
    "DE": ["RFN", "BRD", "FRG"],
    "NL": ["Holland", "Niderlandy", "Królestwo Niderlandów"],
    "CZ": ["Czech Republic", "Czeska Republika"],
    "KR": ["Korea", "South Korea", "Republic of Korea"],
    "RU": ["Federacja Rosyjska", "Russian Federation", "РФ"],
    "CD": ["DRC", "DR Congo", "DR Kongo", "DRK"],
    "SA": ["KSA"],
    "CN": ["PRC", "ChRL", "Mainland China"],
    "CI": ["Ivory Coast"],
    "IE": ["Republic of Ireland", "Eire"],
    "MM": ["Burma", "Birma"],
    "MO": ["Makao"],
    "PS": ["Palestyna", "Palestine", "Palästina"],
    "VA": ["Vatican", "Watykan"],
    "AL": ["Shqipëria"],
    "TH": ["ประเทศไทย"],
    "TW": ["臺灣"],
    "CV": ["Cape Verde"],
    "MK": ["Macedonia", "FYROM", "Makedonien"],
    "SZ": ["Swaziland", "Suazi"],
    "TL": ["East Timor"],
    "BY": ["Białorus", "Belorussia"],
    "TR": ["Turkey"],
    "GR": ["EL", "Hellas", "Ελλάς"],
    "CH": ["die Schweiz", "Confoederatio Helvetica", "Confederation Helvetique"],
}  # fmt: skip
"""What people write and neither source lists: customary abbreviations, parts of the kingdom, names of before. EL and XI
are the European Union's codes of Greece and, in VAT numbers, Northern Ireland."""


UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
"""How German is written where there are no umlauts."""


def country_names() -> Iterator[tuple[str, str]]:
    """(name, ISO 3166-1 alpha-2 code) of every country. Where two countries have one name the first counts, and the
    sources come in the order in which they are believed: codes, CLDR, ISO's names and their translations, usage,
    the neighbours' languages."""
    for code in _codes():
        yield code, code
        for alias in _aliases().get(code, ()):
            yield alias, code
    for sources in (_cldr_names, _iso_names):
        for code in _codes():
            for name in sources(code):
                yield name, code
                yield from ((each, code) for each in _variants(name))
    for code, names in USUAL.items():
        yield from ((name, code) for name in names)
    for language in NEIGHBOURS:
        if locale := _locale(language):
            yield from ((locale.territories[code], code) for code in _codes() if code in locale.territories)


def _codes() -> list[str]:
    """ISO 3166-1's codes, and Kosovo's, which is CLDR's."""
    return sorted([country.alpha_2 for country in pycountry.countries] + ["XK"])


@cache
def _aliases() -> dict[str, list[str]]:
    """The alpha-3 and numeric codes of each country, by its alpha-2 code."""
    found: dict[str, list[str]] = {"XK": ["XKX"]}
    for country in pycountry.countries:
        found[country.alpha_2] = [country.alpha_3, country.numeric]
    for alias, codes in get_global("territory_aliases").items():
        if len(codes) == 1 and (len(alias) == 3 or alias.isdigit()):
            found.setdefault(codes[0], []).append(alias)
    return found


def _own_languages(code: str) -> list[str]:
    return [*EVERYWHERE, *get_official_languages(code, regional=True, de_facto=True)]


def _cldr_names(code: str) -> Iterator[str]:
    for language in _own_languages(code):
        if (locale := _locale(language)) and (name := locale.territories.get(code)):
            yield name


@cache
def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return None


def _iso_names(code: str) -> Iterator[str]:
    country = pycountry.countries.get(alpha_2=code)
    if country is None:
        return
    names = [getattr(country, kind, None) for kind in ("name", "common_name", "official_name")]
    for name in filter(None, names):
        yield name
        for language in _own_languages(code):
            yield _translations(language).gettext(name)


@cache
def _translations(language: str) -> gettext.NullTranslations:
    return gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True)


def _variants(name: str) -> Iterator[str]:
    """How else a name is written: its article dropped or added, 'Korea, Republic of' turned round, brackets dropped."""
    if match := re.fullmatch(r"([^,]+), ([^,]+)", name):
        yield f"{match[2]} {match[1]}"
    if match := re.fullmatch(r"([^-]+) - ([^-]+)", name):
        yield f"{match[2]} {match[1]}"
    for long in ("Republic", "Republika", "Republik"):
        if re.search(rf"\b{long}\b", name):
            yield re.sub(rf"\b{long}\b", "Rep.", name)
    if (without := name.translate(UMLAUTS)) != name:
        yield without
    if "(" in name:
        yield re.sub(r" *\([^)]*\)", "", name)
    for article in ("the ", "die ", "der ", "la ", "le ", "les ", "el "):
        if name.lower().startswith(article):
            yield name[len(article) :]
    yield f"the {name}"
    if " and " in name:
        yield name.replace(" and ", " & ")
        yield name.replace(" and ", " ")
    if "St. " in name:
        yield name.replace("St. ", "Saint ")
