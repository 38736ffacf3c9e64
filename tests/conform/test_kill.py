"""A conform whose process is killed at any moment, and run again, ends as if nothing had been."""

from __future__ import annotations

import random
from collections import Counter

from onefold.audit import entries_from_database, verify
from tests.conform.world import World, no_bad_email
from tests.doomed import Doomed, wait_until_its_sessions_are_gone
from tests.effort import TORTURE
from tests.kills import count_kill

KILLS = 60 if TORTURE else 1
SEED = 20260301


def left(world: World) -> dict[str, Counter[tuple[object, ...]]]:
    """All that conforming leaves, but which publish and when; each version once for each time that it is there."""
    queries = {
        "versions": "select to_jsonb(v) - array['_publish_id', '_ended_publish_id', '_provenance', '_loads'],"
        " _ended_publish_id is null from conformed.partner_version v",
        "crosswalk": "select partner_id, system, stream, key from conformed.partner_crosswalk",
        "held back": "select records, published, expectations, reason from ops.held_back",
        "warnings": "select reason, ended_publish_id is null from ops.golden_record_warning",
        "taken in": "select count(*), count(distinct load_id) from ops.publish_load"
        " join ops.publish using (publish_id) where state = 'published'",
    }
    return {
        name: Counter((str(row),) for row in world.connection.execute(query).fetchall())
        for name, query in queries.items()
    }


def test_a_conform_killed_at_any_moment_and_run_again_ends_as_if_it_had_not_been(world: World) -> None:
    world.begin_mixed_load()
    seconds = Doomed(lambda: world.conform(gate=no_bad_email)).end()
    undisturbed = left(world)
    chance, hits = random.Random(SEED), 0
    while hits < KILLS:
        world.begin_mixed_load()
        hit = Doomed(lambda: world.conform(gate=no_bad_email)).kill_after(chance.uniform(0, seconds))
        wait_until_its_sessions_are_gone(world.url, world.connection)
        if hit:
            hits += 1
            count_kill("conform", "process")
        world.conform(gate=no_bad_email)
        assert left(world) == undisturbed
    assert verify(entries_from_database(world.connection)).ok
