"""A source that was not read is not shown as a load that the gate refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from onefold.errors import Fatal, OnefoldError, Rejected, Retriable
from onefold.insight.problems import problems
from onefold.insight.streams import stream_statuses
from onefold.warehouse.connection import connect
from tests.load.shop import SHOP, Shop, pages, record

CATALOGUE = {"shop": SHOP}
ONE_PAGE = pages([record("a", 1)])
REFUSED = pages([record(str(number), number + 1, credit=-1) for number in range(40)])


@pytest.mark.parametrize(
    ("given", "shown", "kind"),
    [
        ([Retriable("the system is down")], "not reached", "unread"),
        ([Fatal("the password is wrong")], "not reached", "unread"),
        ([*ONE_PAGE, Retriable("the system went down")], "not read to its end", "unread"),
        ([*ONE_PAGE, Fatal("a page of another kind")], "not read to its end", "unread"),
        (REFUSED, "rejected", "rejected"),
    ],
    ids=["down", "password", "went down", "other page", "gate"],
)
def test_a_load_that_ended_before_its_source_was_read_says_so(
    shop: Shop, given: list[object], shown: str, kind: str
) -> None:
    with pytest.raises(OnefoldError) as raised:
        shop.run(shop.job(given))
    assert isinstance(raised.value, Rejected) is (shown == "rejected")
    with connect(shop.url) as connection:
        (status,) = stream_statuses(connection, CATALOGUE)
    assert status.last_load is not None and status.last_load.gate == shown
    assert [each.kind for each in problems([status], datetime.now(UTC))] == [kind]
