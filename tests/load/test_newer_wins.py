"""The rule that decides between two readings of one key."""

import itertools

from onefold.load.newer_wins import is_not_older

CURSORS = [None, "2026-03-01T08:00:00.000000Z", "2026-03-01T09:00:00.000000Z"]
TIMES = ["2026-03-01 10:00+00", "2026-03-01 11:00+00"]


def test_the_greater_cursor_wins_at_equal_ones_the_later_reading_and_nothing_is_older_than_no_cursor(shop):
    readings = list(itertools.product(CURSORS, TIMES))
    values = ", ".join(
        f"({n}, {'null' if c is None else repr(c)}, '{at}'::timestamptz)" for n, (c, at) in enumerate(readings)
    )
    rule = is_not_older("a", "b").as_string(None)
    found = shop.query(
        f"with reading (n, _cursor, _extracted_at) as (values {values})"  # noqa: S608
        f" select a.n, b.n, {rule} from reading a cross join reading b"
    )
    for one, other, wins in found:
        (cursor, at), (held, held_at) = readings[one], readings[other]
        assert wins is (cursor is None or held is None or (cursor, at) >= (held, held_at))
