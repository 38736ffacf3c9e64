"""Numbering plans of all countries, from the metadata of Google's libphonenumber (package phonenumbers)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneMetadata

from onefold.mapping.forms.pattern import parse, prefixes_by_length, ranges, texts

TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip
OLD_TRUNK_PREFIXES = {"PL": ["0"]}
"""What was dialled before a number until a reform, and still stands in many lists (Poland: until 2010)."""


@dataclass(frozen=True, slots=True)
class PhoneRegion:
    """How numbers are dialled in a country: what is dialled before a national and an international one.

    `carrier_rule` is a regular expression for the start of a national number, in the few countries where more than a
    prefix must be changed, and `carrier_replacement` what stands there instead.
    """

    region: str
    calling_code: str
    trunk_prefixes: list[str]
    carrier_rule: str | None
    carrier_replacement: str | None
    international_prefixes: list[str]


@dataclass(frozen=True, slots=True)
class CallingCode:
    """A country's calling code: the region that has it first, and how many digits may follow it."""

    calling_code: str
    region: str
    lengths: list[int]


@dataclass(frozen=True, slots=True)
class Plan:
    """Of the numbers with so many digits after a calling code: ranges of their first three digits."""

    calling_code: str
    digits: int
    prefixes: list[tuple[int, int]]


def phone_regions() -> Iterator[PhoneRegion]:
    """Every region, in alphabetical order."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        known = PhoneMetadata.metadata_for_region(region)
        if known is None:
            continue
        rule, replacement = known.national_prefix_for_parsing, known.national_prefix_transform_rule
        trunks = set(texts(parse(rule))) if rule and not replacement else set()
        trunks |= {*OLD_TRUNK_PREFIXES.get(region, ()), *([known.national_prefix] if known.national_prefix else [])}
        yield PhoneRegion(
            region=region,
            calling_code=str(known.country_code),
            trunk_prefixes=sorted(trunks, key=len, reverse=True),
            carrier_rule=f"^(?:{rule})" if replacement else None,
            carrier_replacement=replacement,
            international_prefixes=sorted(
                {"00", *texts(parse(known.international_prefix or "00"))}, key=len, reverse=True
            ),
        )


def calling_codes() -> Iterator[CallingCode]:
    """Every calling code, in ascending order."""
    for code, regions in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()):
        known = _metadata(code, regions[0])
        lengths = sorted(_lengths(known))
        yield CallingCode(str(code), regions[0], lengths)


def plans() -> Iterator[Plan]:
    """The plan of every calling code, all its regions together."""
    for code, regions in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()):
        first_digits: dict[int, set[int]] = {}
        for region in regions:
            known = _metadata(code, region)
            for kind in TYPES:
                description = getattr(known, kind)
                if description is None or description.national_number_pattern is None:
                    continue
                for length, prefixes in prefixes_by_length(description.national_number_pattern).items():
                    if length in description.possible_length or length in _lengths(known):
                        first_digits.setdefault(length, set()).update(prefixes)
        for length, found in sorted(first_digits.items()):
            yield Plan(str(code), length, ranges(sorted(found)))


def _lengths(known: PhoneMetadata) -> frozenset[int]:
    """How many digits the national numbers may have."""
    return frozenset(known.general_desc.possible_length if known.general_desc else ())


def _metadata(code: int, region: str) -> PhoneMetadata:
    known = (
        PhoneMetadata.metadata_for_nongeo_region(code)
        if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
        else PhoneMetadata.metadata_for_region(region)
    )
    if known is None:
        raise LookupError(f"phonenumbers has no metadata of {region} ({code})")
    return known
