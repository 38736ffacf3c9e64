"""What a load costs follows what it brings, not what staging holds."""

from tests.load.shop import record

HELD = 50_000


def test_a_small_load_does_not_read_all_that_staging_holds(shop):
    shop.load([record("a", 1)])
    shop.execute(
        f"""
        insert into staging.shop__customer (_key, _hash, _payload, _cursor, _deleted, _load_id, _extracted_at)
        select 'held ' || number, _hash, _payload, _cursor, false, _load_id, _extracted_at
        from staging.shop__customer, generate_series(1, {HELD}) number
        """  # noqa: S608 - our own constant
    )
    shop.execute("analyze staging.shop__customer")
    before = _read(shop)
    shop.load([record("a", 2, name="Changed"), record("held 7", 2), record("new", 2)])
    assert shop.last().rows_changed == 2
    assert shop.last().rows_new == 1
    assert _read(shop) - before < HELD / 10


def _read(shop) -> int:
    """Rows of the staging table that were ever read by scanning it."""
    return shop.query(
        "select pg_stat_force_next_flush(), seq_tup_read from pg_stat_user_tables where relname = 'shop__customer'"
    )[0][1]
