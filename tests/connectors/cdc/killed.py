"""What is wrong with the order of the versions that are there after loads were killed."""

from __future__ import annotations

from collections.abc import Iterable

from tests.connectors.cdc.loaded_log import LoadedLog


def out_of_order(log: LoadedLog, had_states: Iterable[tuple[str, dict[str, object] | None]]) -> list[tuple[str, str]]:
    """Versions that are no state which the row had at the source after the one before. `had_states` are all states of
    all rows, in their order: the key and the row, None where it was deleted."""
    states: dict[str, list[dict[str, object] | None]] = {}
    for key, row in had_states:
        states.setdefault(key, []).append(row)
    wrong = []
    versions = log.query(
        "select _key, _payload, _deleted, _cursor from staging.test_log__order order by _key, _load_id"
    )
    places: dict[str, int] = {}
    for key, payload, deleted, cursor in versions:
        row = None if deleted else {name: value for name, value in payload.items() if name[0] != "_"}
        had = states.get(key, [])
        place = next((at for at in range(places.get(key, 0), len(had)) if had[at] == row), None)
        if place is None:
            wrong.append((key, cursor))
        else:
            places[key] = place
    return wrong
