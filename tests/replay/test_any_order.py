"""Loads, fixed suites and replays in any order: the sum of each replay is closed."""

from __future__ import annotations

import itertools
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.load.ledger import Run
from onefold.replay.ledger import Replay
from tests.effort import TORTURE
from tests.load.shop import SHOP, SUITE, Shop, record
from tests.replay.replaying import ANY_CREDIT, ANY_NAME, closed, job, opened, run_of, suite

EXAMPLES = 100 if TORTURE else 3
_streams = itertools.count(1)
CONTENT = {"name": st.sampled_from([None, "N"]), "credit": st.sampled_from([-1, 1])}
READINGS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.fixed_dictionaries(CONTENT)), min_size=1, max_size=5
)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("load"), READINGS),
        st.tuples(st.just("suite"), st.sampled_from([SUITE, ANY_NAME, ANY_CREDIT])),
        st.tuples(st.just("choose"), st.sampled_from([None, "name", "credit"])),
        st.tuples(st.just("replay"), st.none()),
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(acts=ACTS)
def test_the_sum_holds_whatever_happens_between_selection_and_replay(shop: Shop, acts: list[tuple]) -> None:
    """Loads, suites and other replays, in any order: the sum is checked, and nothing older follows what is newer."""
    here = of_a_stream_that_nobody_has_used(shop)
    suite(here, SUITE)
    here.load([record("z", 0), record("a", 0, name=None), record("b", 0, credit=-1)])
    under_way: list[tuple[Run, Replay]] = []

    def finish() -> None:
        run, account = under_way.pop()
        here.run(job(here, run, account))
        assert closed(here, run)[0] == account.totals["selected"]

    for act, what in acts:
        match act:
            case "load":
                here.load([record(key, minute, **content) for key, minute, content in what])
            case "suite":
                suite(here, what)
            case "choose":
                run = run_of()
                with suppress(Fatal):  # nothing waits that matches
                    under_way.append((run, opened(here, run, system="shop", stream=here.stream, expectation=what)))
            case "replay" if under_way:
                finish()
    while under_way:
        finish()
    state = f"select (state = 'open') = (closed_by_load is null) from ops.quarantine where stream = '{here.stream}'"  # noqa: S608
    assert all(agrees for (agrees,) in here.query(state))
    versions = f"staging.shop__{here.stream}"
    shown = here.query(f'select _key, max(_cursor collate "C") from {versions} group by 1 order by 1')  # noqa: S608
    assert shown == here.query(f"select _key, _cursor from {versions}__current order by 1")  # noqa: S608


def of_a_stream_that_nobody_has_used(shop: Shop) -> Shop:
    stream = f"customer{next(_streams)}"
    system = SHOP.model_dump(exclude_unset=True) | {"streams": {stream: SHOP.streams["customer"]}}
    return Shop(shop.url, shop.suites, System.model_validate(system), stream)
