"""Connected components: who is connected to whom, whatever the shape of the graph."""

from __future__ import annotations

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

EDGES = st.lists(st.tuples(st.integers(1, 25), st.integers(1, 25)), max_size=40)


def _by_hand(edges: list[tuple[int, int]]) -> dict[int, int]:
    """Node to the least node that it is connected to, for every node with a neighbour."""
    least = {node: node for edge in edges if edge[0] != edge[1] for node in edge}
    for _ in least:
        for a, b in edges:
            if a != b:
                least[a] = least[b] = min(least[a], least[b])
    return least


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EDGES)
def test_components_are_those_found_by_hand(loader: psycopg.Connection, edges: list[tuple[int, int]]):
    rows = sql.SQL(", ").join(sql.SQL("({}, {})").format(a, b) for a, b in [*edges, (0, 0)])
    given_edges = sql.SQL("select * from (values {}) as e (a, b)").format(rows).as_string(loader)
    found = loader.execute("select node, root from ops.components(%s)", (given_edges,))
    assert dict(found.fetchall()) == _by_hand(edges)


def test_a_chain_of_a_hundred_thousand_is_one_component(loader: psycopg.Connection):
    """A round halves what is left, so the worst shape for label propagation takes a few rounds as well."""
    chain = "select (n * 7919) % 100003 as a, ((n + 1) * 7919) % 100003 as b from generate_series(1, 100000) as n"
    for shape in (chain, "select n as a, n + 1 as b from generate_series(1, 100000) as n"):
        found = loader.execute("select count(*), count(distinct root) from ops.components(%s)", (shape,))
        assert found.fetchone() == (100001, 1)
