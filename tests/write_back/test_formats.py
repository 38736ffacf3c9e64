"""Every outward format has an inward transform that gives the golden value back: an echo changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest

from onefold.catalog.target import FORMATS, LINES, TargetField
from onefold.connectors.outbound.contract import Value
from onefold.platform.postgres import Postgres
from onefold.write_back.formats import _FORMATS, Unwritable, formatted
from tests.conftest import TEMPLATE
from tests.mapping.asking import one

CODES = {"active": "A", "inactive": "N"}
INVERSES: dict[str, tuple[str, tuple[Value, ...]]] = {
    "text": ("text", ("Januszex Sp. z o.o.", "Żółw")),
    "number": ("numeric", (Decimal("12.50"), Decimal(-3))),
    "boolean": ("boolean", (True, False)),
    "date": ("date_iso", (date(2026, 11, 30),)),
    "date_text": ("date_iso", (date(2026, 11, 30),)),
    "date_pl": ("date_pl", (date(2026, 2, 3),)),
    "timestamp": ("timestamp_utc", (datetime(2026, 11, 30, 12, 1, 2, tzinfo=UTC),)),
    "decimal_comma": ("decimal_comma", (Decimal("1234.50"), Decimal("0.01"))),
    "nip_dashed": ("nip", ("5272889007",)),
    "nip_eu": ("nip", ("5272889007",)),
    "phone_national": ("phone_e164", ("+48221234567", "+49301234567")),
}
ADDRESSES = (
    "Młynarska 42A/5", "Młynarska 42A", "Al. Jana Pawła II 14", "3 Maja 7", "12", "Krucza 16/22 m. 4", "Pl. Wolności 1",
)  # fmt: skip


def _field(name: str) -> TargetField:
    return TargetField.model_validate({"attribute": "a", "format": name, "codes": CODES if name == "code" else None})


def _inward(value: Value) -> str | None:
    """As a source would send it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else value.isoformat() if isinstance(value, date) else str(value)


@pytest.fixture(scope="module")
def asking(postgres: Postgres) -> Iterator[psycopg.Connection]:
    """The warehouse's template, whose functions transforms call."""
    with psycopg.connect(postgres.url(TEMPLATE), options="-c TimeZone=UTC") as connection:
        yield connection


def test_every_format_that_the_catalogue_may_name_exists_and_has_an_inverse_here() -> None:
    assert set(FORMATS) == {*_FORMATS, *LINES, "code"}
    assert set(FORMATS) == {*INVERSES, *LINES, "code", "street_name", "house_number", "flat_number"}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, (_, values) in INVERSES.items() for value in values]
)
def test_what_a_format_writes_comes_back_as_the_golden_value(
    asking: psycopg.Connection, name: str, value: Value
) -> None:
    assert one(asking, INVERSES[name][0], _inward(formatted(_field(name), value))) == value


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_in_three_fields_comes_back_as_one(asking: psycopg.Connection, address: str) -> None:
    parts = [formatted(_field(name), address) for name in ("street_name", "house_number", "flat_number")]
    assert one(asking, "street", *map(_inward, parts)) == address


@pytest.mark.parametrize("name", ["Żółw S.A.", f"{'Żółw ' * 8}S.A.", f"{'Żółwi' * 8} S.A."])
def test_a_name_in_two_lines_comes_back_as_one_and_no_word_is_broken(asking: psycopg.Connection, name: str) -> None:
    length = {"max": 40}
    first, second = (
        formatted(TargetField.model_validate({"attribute": "a", "format": line, "length": length}), name)
        for line in LINES
    )
    assert len(str(first)) <= 40 and len(str(second or "")) <= 40
    assert one(asking, "company_name", _inward(first), _inward(second)) == name


def test_a_code_is_written_by_its_table_and_a_word_without_one_refuses_the_record() -> None:
    assert [formatted(_field("code"), word) for word in CODES] == ["A", "N"]
    with pytest.raises(Unwritable, match="codes has no word for the value"):
        formatted(_field("code"), "prospect")


def test_no_format_quotes_the_value_that_it_refuses() -> None:
    refusing = ("number", "boolean", "date", "date_text", "date_pl", "timestamp", "decimal_comma", "code")
    for name in (*refusing, "nip_dashed", "nip_eu"):
        with pytest.raises(Unwritable) as refused:
            formatted(_field(name), "Kowalski 5272889007x")
        assert "Kowalski" not in str(refused.value)
