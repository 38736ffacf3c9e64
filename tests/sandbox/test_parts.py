"""An order's lines live as their order does."""

from sandbox.salesforce.objects import ORDER_ITEMS, ORDERS
from sandbox.world import World

ALL = {"changes": 30, "deletions": 5, "new": 6}


def lines(world: World) -> dict[str, tuple[object, ...] | None]:
    return {str(part.key): part.at(world.sequence) for part in world.shelf(ORDER_ITEMS.name).entries}


def test_lines_are_stamped_deleted_and_added_with_their_order() -> None:
    world = World(240, 7, books=(ORDERS, ORDER_ITEMS))
    before = lines(world)
    happened = world.advance(**ALL)
    after = lines(world)
    changed = {key for key in before if before[key] != after[key] and not after[key][1]}
    deleted = {key for key in before if after[key][1] and not before[key][1]}
    counts = [happened[what][ORDER_ITEMS.name] for what in ("changed", "deleted", "new")]
    assert counts == [len(changed), len(deleted), len(after) - len(before)]
    assert min(counts) > 0
    stamps = {entry.number: entry.modified for entry in world.shelf(ORDERS.name).entries}
    for part in world.shelf(ORDER_ITEMS.name).entries:
        assert part.at(world.sequence)[0] == stamps[part.number]


def test_a_line_that_was_taken_away_comes_back_with_the_next_revision() -> None:
    world = World(240, 7, books=(ORDERS, ORDER_ITEMS))
    (part, *_) = (p for p in world.shelf(ORDER_ITEMS.name).entries if p.place == p.siblings - 1 > 0 and not p.broken)
    while part.parent.revision < 3 and not part.parent.deleted:
        revision = part.parent.revision
        assert part.at(world.sequence)[1] == (revision == 2)
        world.advance(changes=29)
    assert part.parent.revision == 3
    assert not part.at(world.sequence)[1]


def test_what_a_line_was_is_not_forgotten_and_a_broken_one_never_changes() -> None:
    world = World(240, 7, books=(ORDERS, ORDER_ITEMS))
    before = lines(world)
    for _ in range(3):
        world.advance(**ALL)
    assert {str(part.key): part.at(0) for part in world.shelf(ORDER_ITEMS.name).entries if part.at(0)} == before
    broken = [part for part in world.shelf(ORDER_ITEMS.name).entries if part.broken]
    assert broken
    assert all(part.parent.revision == 1 for part in broken)
    replayed = World(240, 7, books=(ORDERS, ORDER_ITEMS))
    assert lines(replayed) == before
