"""Brings catalog/prices.yaml into the warehouse, where the ledger is priced."""

from __future__ import annotations

import hashlib

import psycopg

from onefold.audit import AuditEvent, append
from onefold.catalog.prices import PriceList


def fingerprint_of(prices: PriceList) -> str:
    """A hash of all that the list says."""
    return hashlib.sha256(prices.model_dump_json().encode()).hexdigest()


def is_applied(connection: psycopg.Connection, prices: PriceList | None) -> bool:
    """Whether the warehouse has this list."""
    row = connection.execute("select fingerprint from ops.price_list").fetchone()
    return (row and row[0]) == (prices and fingerprint_of(prices))


def apply_prices(connection: psycopg.Connection, actor: str, prices: PriceList | None) -> bool:
    """Make the warehouse's prices and budgets those of the list; None: there are none. Returns whether they changed."""
    with connection.transaction():
        if not (_forget_list(connection) if prices is None else _replace_list(connection, actor, prices)):
            return False
        connection.execute("delete from ops.price")
        connection.execute("delete from ops.budget")
        rows = [] if prices is None else _price_rows(prices)
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into ops.price (system, kind, price, valid_from, valid_to) values (%s, %s, %s, %s, %s)", rows
            )
            budgets = {} if prices is None else {name: each.budget for name, each in prices.systems.items()}
            cursor.executemany(
                "insert into ops.budget (system, month, alert_at) values (%s, %s, %s)",
                [(name, each.month, sorted(set(each.alert_at))) for name, each in budgets.items() if each],
            )
        payload = {"fingerprint": fingerprint_of(prices) if prices else None, "prices": len(rows)}
        append(connection, AuditEvent(actor, "prices.apply", "prices", payload=payload))
    return True


def _replace_list(connection: psycopg.Connection, actor: str, prices: PriceList) -> bool:
    """Whether the list is another one; whoever applies it at the same time waits here."""
    replaced = connection.execute(
        "insert into ops.price_list as list (currency, timezone, fingerprint, actor) values (%s, %s, %s, %s)"
        " on conflict (only_row) do update set currency = excluded.currency, timezone = excluded.timezone,"
        " fingerprint = excluded.fingerprint, actor = excluded.actor, applied_at = now()"
        " where list.fingerprint <> excluded.fingerprint returning true",
        (prices.currency, prices.timezone, fingerprint_of(prices), actor),
    )
    return replaced.fetchone() is not None


def _forget_list(connection: psycopg.Connection) -> bool:
    return connection.execute("delete from ops.price_list").rowcount > 0


def _price_rows(prices: PriceList) -> list[tuple[object, ...]]:
    named = [(None, prices.prices), *prices.systems.items()]
    return [
        (system, kind, each.price, each.valid_from, each.valid_to)
        for system, of_system in named
        for kind, given in of_system.by_kind()
        for each in given
    ]
