"""The cost follows what changed, and the result does not depend on how the changes arrived."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from tests.conform.world import Record, World, record
from tests.effort import TORTURE

EXAMPLES = 100 if TORTURE else 5
NAMES = ("Bóbr S.A.", "BOBR SPOLKA AKCYJNA", "Przedsiębiorstwo Produkcyjne Łączność Sp", "Ryś", "")
FULL = "Przedsiębiorstwo Produkcyjne Łączność Sp. z o.o."


def _value(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", "", *values])


RECORD = st.builds(
    record,
    st.sampled_from(["crm", "erp", "court"]),
    st.sampled_from("abcde"),
    deleted=st.sampled_from([False, False, False, False, True]),
    tax_id_pl=_value("t1", "t2"),
    regon=_value("r1", "r2"),
    krs=_value("", "k1", "k2"),
    legal_name=st.sampled_from([*NAMES, FULL, f"{FULL} Sp. k."]),
    postal_code=st.sampled_from(["1", "1", "1", "2"]),
    street=st.sampled_from(["ul. Polna 1", "POLNA 1"]),
)
INCREMENTS = st.lists(st.lists(RECORD, min_size=1, max_size=6), min_size=1, max_size=6)


def _published(world: World) -> tuple[object, object]:
    clusters = world.connection.execute(
        "select array_agg(record order by record) as members from conformed.partner_crosswalk"
        " group by partner_id order by members"
    ).fetchall()
    golden = world.connection.execute(
        "select (select min(record) from conformed.partner_crosswalk as c where c.partner_id = p.partner_id) as first,"
        " legal_name, tax_id_pl, regon, krs, street, postal_code, source_of_truth, systems, record_count"
        " from conformed.partner as p order by first"
    ).fetchall()
    return clusters, golden


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(increments=INCREMENTS)
def test_any_increments_resolve_as_one_full_build(world: World, increments: list[list[Record]]):
    world.empty()
    final: dict[str, Record] = {}
    for increment in increments:
        newest = {each.record: each for each in increment}
        final |= newest
        world.conform(*newest.values())
        for identifier in ("tax_id_pl", "regon", "krs"):
            held = sql.SQL("select count({0}), count(distinct {0}) from conformed.partner").format(
                sql.Identifier(identifier)
            )
            times, values = world.connection.execute(held).fetchone()
            assert times == values, f"two golden records hold one {identifier}"
    stepwise = _published(world)
    world.empty()
    world.conform(*final.values())
    assert stepwise == _published(world)


def test_an_increment_looks_only_at_the_clusters_that_it_touches(world: World):
    world.conform(*(record("crm", f"{n}", tax_id_pl=f"{n // 2}", legal_name=f"Firma {n}") for n in range(200)))
    report = world.conform(record("erp", "new", tax_id_pl="7"))
    looked_at = world.connection.execute("select array_agg(record order by record) from mapped.partner__member")
    assert looked_at.fetchone()[0] == ["crm|account|14", "crm|account|15", "erp|partner|new"]
    assert (report.entities[0].new, report.entities[0].changed, report.entities[0].golden) == (0, 1, 100)


def test_a_record_that_leaves_frees_what_it_made_ambiguous(world: World):
    """C fits a and b alike; when b moves away, c belongs to a, although neither of the two changed."""
    same = {"legal_name": "Żółw S.A.", "postal_code": "1", "street": "Polna 1"}
    world.conform(
        record("crm", "a", tax_id_pl="1", **same), record("erp", "b", tax_id_pl="2", **same), record("erp", "c", **same)
    )
    world.conform(record("erp", "b", tax_id_pl="2", **same | {"postal_code": "2"}))
    assert world.clusters() == {frozenset("ac"), frozenset("b")}


def test_the_same_records_again_make_no_version(world: World):
    records = [record("crm", "a", tax_id_pl="1", credit_limit="10.50"), record("erp", "b", tax_id_pl="1")]
    world.conform(*records)
    report = world.conform(*records)
    entity = report.entities[0]
    assert (entity.golden, entity.new, entity.changed, entity.ended) == (1, 0, 0, 0)
    assert world.connection.execute("select count(*) from conformed.partner_version").fetchone() == (1,)


def test_a_load_that_is_rolled_back_is_taken_out_again(world: World):
    world.conform(record("crm", "a", tax_id_pl="1", legal_name="Old"))
    bad = world.load([record("crm", "a", tax_id_pl="1", legal_name="Bad"), record("erp", "b", tax_id_pl="1")])
    world.conform()
    assert world.golden("a", "legal_name", "record_count") == ("Bad", 2)
    # The rollback leaves the mapped models as they were before the load.
    world.connection.execute("update ops.load set state = 'rolled_back' where load_id = %s", (bad,))
    world.connection.execute(
        "update mapped.crm__partner set legal_name = 'Old', _load_id = (select min(load_id) from ops.load)"
    )
    world.connection.execute("delete from mapped.erp__partner")
    report = world.conform()
    assert report.loads == (bad,)
    assert world.golden("a", "legal_name", "record_count") == ("Old", 1)
    assert world.conform().publish_id is None


def test_what_a_load_had_deleted_is_there_again_when_it_is_rolled_back(world: World):
    world.conform(record("crm", "a", tax_id_pl="1", legal_name="Old"), record("crm", "b", tax_id_pl="2"))
    before = _published(world)
    bad = world.load([record("crm", "a", tax_id_pl="1", legal_name="Old", deleted=True)])
    world.conform()
    assert world.clusters() == {frozenset("b")}
    # The rollback leaves the mapped models as they were before the load, and its versions aside.
    world.connection.execute("update ops.load set state = 'rolled_back' where load_id = %s", (bad,))
    world.connection.execute(
        "update mapped.crm__partner set _deleted = false, _load_id = (select min(load_id) from ops.load)"
        " where _key = 'a'"
    )
    world.connection.execute(
        "insert into staging.superseded"
        " (system, stream, _key, _hash, _payload, _deleted, _load_id, _extracted_at, gated)"
        " values ('crm', 'account', 'a', '', '{}', true, %s, now(), true)",
        (bad,),
    )
    assert world.conform().loads == (bad,)
    assert _published(world) == before
