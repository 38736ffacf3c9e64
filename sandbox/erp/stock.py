"""The ERP's stock levels: a table that is read by its database's log, for a sale changes a row and leaves no trace in
another. In PostgreSQL only."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from sandbox.stand_in import Happened
from sandbox.world.book import key_text
from sandbox.world.world import WARSAW

WAREHOUSES = ("CENTRALA", "SKLEP")
STANY = sa.Table(
    "stany",
    sa.MetaData(),
    sa.Column("id_towaru", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("magazyn", sa.String(20), primary_key=True),
    sa.Column("ilosc", sa.Numeric(12, 3), nullable=False),
    sa.Column("data_modyfikacji", sa.DateTime, nullable=False),
)
PUBLICATION = "onefold_erp_log_stock"


def fill(connection: sa.Connection, goods: Iterable[int]) -> None:
    """Add the levels of the goods that have none. The table is never dropped: what reads its log would have to begin
    anew. Its owner publishes it for a reader who owns nothing."""
    if connection.dialect.name != "postgresql":
        return
    if not sa.inspect(connection).has_table(STANY.name):
        STANY.create(connection)
        connection.exec_driver_sql(
            f"create publication {PUBLICATION} for table {STANY.name} with (publish_via_partition_root = true)"
        )
    rows = [
        {"id_towaru": key, "magazyn": each, "ilosc": crc32(f"{key} {each}".encode()) % 900 + 100}
        for key in goods
        for each in WAREHOUSES
    ]
    at = {"data_modyfikacji": _now()}
    connection.execute(insert(STANY).on_conflict_do_nothing(), [row | at for row in rows])


def sell(connection: sa.Connection) -> Happened:
    """One piece of something is sold in the shop. The time is that of the change; it is committed by who called."""
    goods = connection.execute(sa.select(STANY.c.id_towaru).where(STANY.c.magazyn == "SKLEP")).scalars().all()
    key, now = random.choice(goods), datetime.now(UTC)
    connection.execute(
        STANY.update()
        .where(STANY.c.id_towaru == key, STANY.c.magazyn == "SKLEP")
        .values(ilosc=STANY.c.ilosc - 1, data_modyfikacji=_now())
    )
    return Happened("erp_log", "stock", key_text((str(key), "SKLEP")), now)


def _now() -> datetime:
    """The time on Warsaw's clocks, without a zone."""
    return datetime.now(WARSAW).replace(tzinfo=None)
