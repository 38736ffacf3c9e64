"""What is deleted of partitions that were read whole, and where the guard of deletions counts it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from onefold.catalog.stream import Stream
from onefold.connectors.page import Page
from onefold.connectors.partition import Partition
from onefold.errors import Rejected
from tests.load.shop import SHOP, Shop, record


def test_a_partition_that_is_one_record_takes_no_other_record_with_it(shop: Shop) -> None:
    shop.load([record(each, 0) for each in "123"])
    now = datetime.now(UTC)
    load = shop.run(
        shop.job([Page([record("3", 1)], now, None, ended=(Partition("2", None, now), Partition("3", None, now)))])
    )
    assert load.rows_deleted == 1
    assert shop.current().keys() == {"1", "3"}


LINES = {"path": "lines", "carry": {"order_id": "id"}}
PARENT = {"stream": "order", "fill": {"order": "id"}}


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({"lookup": {"attribute": "customer.tax_id_pl"}}, False),
        ({"nested": LINES}, False),
        ({"parent": PARENT}, True),
        ({"parent": PARENT, "nested": LINES}, True),
        ({}, True),
    ],
)
def test_what_the_source_says_of_one_record_by_name_is_no_listing_for_the_guard(
    shop: Shop, more: dict[str, object], refused: bool
) -> None:
    shop.load([record(f"{number}", 0) for number in range(20)])
    plain = SHOP.streams["customer"].model_dump(mode="json", exclude_defaults=True)
    stream = Stream.model_validate(plain | {"request": {"path": "/x", "params": {"since": "{start}"}}} | more)
    shop.system = SHOP.model_copy(update={"streams": {"customer": stream}})
    now = datetime.now(UTC)
    job = shop.job([Page([], now, None, ended=tuple(Partition(f"{number}", None, now) for number in range(15)))])
    if refused:
        with pytest.raises(Rejected, match="15 of 20 records would be deleted"):
            shop.run(job)
        assert len(shop.current()) == 20
    else:
        assert shop.run(job).rows_deleted == 15
