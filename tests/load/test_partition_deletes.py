"""Records of one key field, of which each is a partition by itself: what a project's one page of settings is."""

from __future__ import annotations

from datetime import UTC, datetime

from onefold.connectors.page import Page
from onefold.connectors.partition import Partition
from tests.load.shop import Shop, record


def test_a_partition_that_is_gone_takes_no_other_record_with_it(shop: Shop) -> None:
    shop.load([record(each, 0) for each in "123"])
    now = datetime.now(UTC)
    load = shop.run(
        shop.job([Page([record("3", 1)], now, None, ended=(Partition("2", None, now), Partition("3", None, now)))])
    )
    assert load.rows_deleted == 1
    assert shop.current().keys() == {"1", "3"}
