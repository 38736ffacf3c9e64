"""A replay of the shop's stream, step by step: opened, loaded and closed."""

from __future__ import annotations

import itertools
from dataclasses import replace

from onefold.load.job import Job
from onefold.load.ledger import Run
from onefold.replay.ledger import FIGURES, Replay, close_replay, open_replay
from onefold.replay.selection import Selection
from onefold.warehouse.connection import connect
from tests.load.shop import SUITE, Shop

ANY_NAME = SUITE.replace("  - {type: expect_column_values_to_not_be_null, kwargs: {column: name}}\n", "")
ANY_CREDIT = SUITE.replace(
    "  - {type: expect_column_values_to_be_between, kwargs: {column: credit, min_value: 0}}\n", ""
)
_runs = itertools.count(1)


def run_of() -> Run:
    """Another run of the replay's DAG."""
    return Run("replay", f"manual__{next(_runs)}", "os:tester")


def opened(shop: Shop, run: Run, reason: str = "the suite was fixed", **selection: object) -> Replay:
    """A replay that has selected its rows."""
    with connect(shop.url, autocommit=True) as connection:
        return open_replay(connection, Selection(**selection), reason, run, {"shop": shop.system})


def job(shop: Shop, run: Run, account: Replay, **more: object) -> Job:
    """A step of the replay's load of the shop's stream."""
    return replace(
        shop.job([]), run=run, source=None, source_url=None, replay_id=account.replay_id, **{"entities": {}, **more}
    )


def closed(shop: Shop, run: Run) -> tuple[int, int, int, int]:
    """Selected, published, superseded, refused: as the ledger says once the replay is closed."""
    with connect(shop.url, autocommit=True) as connection:
        account = close_replay(connection, run)
    figures = tuple(account.totals[figure] for figure in FIGURES)
    [recorded] = shop.query(
        f"select selected, published, superseded, refused from ops.replay where replay_id = {account.replay_id}"  # noqa: S608
    )
    assert figures == recorded
    assert figures[0] == sum(figures[1:])
    return figures


def replay(shop: Shop, **selection: object) -> tuple[int, int, int, int]:
    """A whole replay of the shop's stream."""
    run = run_of()
    shop.run(job(shop, run, opened(shop, run, **selection)))
    return closed(shop, run)


def suite(shop: Shop, text: str) -> None:
    """The suite of the shop's stream is this one from now on."""
    name = f"shop__{shop.stream}"
    (shop.suites / f"{name}.yaml").write_text(text.replace("shop__customer", name))


def quarantine(shop: Shop) -> list[tuple]:
    """Key, reason and state of every row in quarantine."""
    return shop.query("select _key, reason, state from ops.quarantine order by quarantine_id")
