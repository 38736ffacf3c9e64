"""Every stream can be compared with its source, or says why not; what was lost is found, and repaired."""

from __future__ import annotations

from functools import partial

import pytest
from purgatory import SyncCircuitBreakerFactory

from onefold.connectors.window import BEGINNING
from onefold.load.extraction import CountSource, acknowledges, counts_from, open_transport
from onefold.reconcile.compare import Comparison, compare_stream
from onefold.reconcile.repair import repair_stream
from tests.acceptance.bench import Bench
from tests.acceptance.streams import ALL, Listed, connector, each_thing, history
from tests.roles import as_role

COUNTED = {"erp", "salesforce", "sap", "sap_v4"}
"""Systems that count at least some of their streams."""


def incomparable(listed: Listed) -> bool:
    return bool(listed.stream.lookup or acknowledges(listed.system))


def comparison(listed: Listed) -> tuple[object, ...]:
    """What decides how a stream is compared: how its source counts, if it does, and how its pages become versions."""
    return listed.system.system in COUNTED and connector(listed), *history(listed)


each_comparable = each_thing(comparison, [listed for listed in ALL if not incomparable(listed)])
each_incomparable = pytest.mark.parametrize(
    "listed", [listed for listed in ALL if incomparable(listed)], ids=lambda listed: listed.name
)


def counts(bench: Bench, listed: Listed) -> CountSource:
    unhurried = partial(
        open_transport, breakers=SyncCircuitBreakerFactory(default_threshold=10), sleep=bench.slept.append
    )
    loader = as_role(bench.url, "onefold_loader")
    return counts_from(listed.system, listed.endpoint(bench.sandbox), loader, unhurried)


def compared(bench: Bench, listed: Listed, *, thorough: bool = False) -> Comparison:
    return compare_stream(bench.job(listed), counts(bench, listed), BEGINNING, thorough=thorough)


@each_comparable
def test_what_was_lost_by_hand_is_found_and_repaired(
    loaded: Bench, listed: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_HOME", str(loaded.home))
    before = loaded.observed(listed, current=True)
    assert compared(loaded, listed, thorough=True).drift.records == 0
    by_counts = compared(loaded, listed)
    assert by_counts.drift.records == 0

    alive = f"select _key from {listed.staging}__current where not _deleted order by _key"  # noqa: S608 - our own name
    keys = [key for (key,) in loaded.query(alive)][::5][:3]
    loaded.execute(f"delete from {listed.staging} where _key = any (%s)", keys)  # noqa: S608
    found = compared(loaded, listed)
    assert (found.drift.missing, found.drift.changed, found.drift.deleted) == (len(keys), 0, 0)
    assert {key for (key,) in loaded.query("select _key from ops.drift")} == set(keys)

    fixed, loads = repair_stream(loaded.job(listed), counts(loaded, listed), found)
    assert fixed.drift.records == 0
    assert sum(load.rows_new for load in loads) == len(keys)
    assert loaded.observed(listed, current=True) == before
    by_loads, by_comparisons = (
        loaded.query(f"select sum(requests) > 0 from ops.usage where {of} is not null")  # noqa: S608
        for of in ("load_id", "reconciliation_id")
    )
    assert by_comparisons == by_loads  # files in a folder are not asked for over a wire


@pytest.mark.parametrize(
    "listed", [listed for listed in ALL if listed.system.system in COUNTED], ids=lambda listed: listed.name
)
def test_a_source_that_counts_is_hardly_read(loaded: Bench, listed: Listed) -> None:
    found = compared(loaded, listed)
    (how,) = loaded.query("select method from ops.reconciliation order by reconciliation_id desc limit 1")
    if listed.stream.nested or listed.stream.cursor.kind == "integer":
        assert how == ("keys",)
    else:
        assert how == ("counts",)
        assert found.records_read == 0


@each_incomparable
def test_a_stream_that_cannot_be_compared_says_why_and_is_not_asked(loaded: Bench, listed: Listed) -> None:
    before = loaded.requests(listed.system)
    found = compared(loaded, listed)
    assert found.skipped
    assert loaded.requests(listed.system) == before
