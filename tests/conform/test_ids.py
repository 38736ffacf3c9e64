"""Golden ids last: through merges, splits and returns."""

from tests.conform.world import World, record, sets


def test_ids_stay_when_records_merge(world: World):
    world.conform(record("crm", "a", tax_id_pl="1"), record("erp", "b", tax_id_pl="1"), record("court", "c", krs="3"))
    large, small = world.id_of("a"), world.id_of("c")
    world.conform(record("court", "c", krs="3", tax_id_pl="1"))
    assert world.clusters() == sets("abc")
    assert world.id_of("c") == large
    ended = world.connection.execute(
        "select partner_id::text, _merged_into::text from conformed.partner_version where _ended_publish_id = 2 and"
        " _merged_into is not null"
    ).fetchall()
    assert ended == [(small, large)]


def test_the_oldest_id_is_kept_when_records_merge(world: World):
    world.conform(record("erp", "z", krs="3"))
    oldest = world.id_of("z")
    world.conform(record("crm", "a", tax_id_pl="1"), record("crm", "b", tax_id_pl="1"))
    world.conform(record("court", "j", tax_id_pl="1", krs="3"))
    assert {world.id_of(key) for key in "abjz"} == {oldest}


def test_the_majority_keeps_the_id_when_records_part(world: World):
    world.conform(*(record("crm", key, tax_id_pl="1") for key in "abcd"))
    before = world.id_of("a")
    world.conform(record("crm", "a", tax_id_pl="2"))
    assert world.clusters() == sets("a", "bcd")
    assert world.id_of("b") == before
    assert world.id_of("a") != before


def test_an_id_in_use_is_never_given_twice(world: World):
    """A founded the id that b, c and d took with them; a needs another one, each time it leaves."""
    world.conform(*(record("crm", key, tax_id_pl="1") for key in "abcd"))
    founded = world.id_of("a")
    seen = {founded}
    for tax_id in ("2", "1", "3", "1", "4"):
        world.conform(record("crm", "a", tax_id_pl=tax_id))
        assert world.id_of("b") == founded
        seen.add(world.id_of("a"))
        twice = world.connection.execute(
            "select partner_id from conformed.partner_version where _ended_publish_id is null"
            " group by 1 having count(*) > 1"
        ).fetchall()
        assert twice == []
    assert len(seen) > 1


def test_the_order_of_arrival_does_not_matter_for_a_first_build(world: World):
    records = [record("crm", "a", tax_id_pl="1"), record("erp", "b", tax_id_pl="1"), record("court", "c", krs="3")]
    world.conform(*records)
    forward = {key: world.id_of(key) for key in "abc"}
    world.empty()
    world.conform(*reversed(records))
    assert {key: world.id_of(key) for key in "abc"} == forward


def test_a_golden_record_ends_with_its_last_record(world: World):
    world.conform(record("crm", "a", tax_id_pl="1"), record("crm", "b", tax_id_pl="2"))
    report = world.conform(record("crm", "a", tax_id_pl="1", deleted=True))
    assert (report.entities[0].ended, report.entities[0].golden) == (1, 1)
    assert world.clusters() == sets("b")
    assert world.connection.execute("select count(*) from conformed.partner").fetchone() == (1,)
