"""Which records are one and the same."""

import pytest

from tests.conform.world import World, record, sets

ADDRESS = {"postal_code": "00-950", "street": "ul. Długa 5"}


def test_identity_is_transitive_over_strong_identifiers(world: World):
    world.conform(
        record("crm", "a", tax_id_pl="1"),
        record("erp", "b", tax_id_pl="1", regon="2"),
        record("court", "c", regon="2", krs="3"),
        record("crm", "d", krs="3"),
        record("crm", "e", krs="4"),
        record("crm", "f"),
    )
    assert world.clusters() == sets("abcd", "e", "f")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Żółw Sp. z o.o.", "ZOLW SPOLKA Z OGRANICZONA ODPOWIEDZIALNOSCIA"),
        ("Żółw sp z oo", "„Żółw” SPÓŁKA Z O.O."),
        ("PKP Żubr S.A.", "pkp zubr spółka akcyjna"),
        ("Kowalski Sp. z o.o. Sp. k.", "KOWALSKI SPÓŁKA Z OGRANICZONĄ ODPOWIEDZIALNOŚCIĄ SPÓŁKA KOMANDYTOWA"),
        # SAP's field ends after 40 characters.
        ("PRZEDSIEBIORSTWO PRODUKCYJNE ŁĄCZNOŚĆ SP", "Przedsiębiorstwo Produkcyjne Łączność Sp. z o.o."),
        ("Przedsiębiorstwo Produkcyjno-Usługowo-Ha", "Przedsiębiorstwo Produkcyjno-Usługowo-Handlowe S.A."),
    ],
)
def test_one_name_spelled_in_two_ways_at_one_address_is_one_company(one: str, other: str, world: World):
    world.conform(
        record("crm", "a", legal_name=one, tax_id_pl="1", **ADDRESS),
        record("erp", "b", legal_name=other, postal_code="00950", street="DLUGA 5"),
    )
    assert world.clusters() == sets("ab")


@pytest.mark.parametrize(
    ("one", "other", "address"),
    [
        ("Kowalski Sp. z o.o.", "Kowalski Sp. z o.o. Sp.k.", ADDRESS),
        ("Kowalski Sp. z o.o.", "Kowalski S.A.", ADDRESS),
        ("Kowalski Sp. z o.o.", "Kowalski Sp. z o.o.", {"postal_code": "00-950", "street": "ul. Krótka 5"}),
        ("Sp. z o.o.", "Sp. z o.o.", {"postal_code": "", "street": ""}),
    ],
)
def test_another_name_or_another_address_is_another_company(one, other, address, world: World):
    world.conform(
        record("crm", "a", legal_name=one, tax_id_pl="1", **ADDRESS),
        record("erp", "b", legal_name=other, **address),
    )
    assert world.clusters() == sets("a", "b")


def test_probabilistic_match_never_joins_contradicting_identifiers(world: World):
    same = {"legal_name": "Żółw S.A.", **ADDRESS}
    world.conform(
        record("crm", "a", tax_id_pl="1", **same),
        record("erp", "b", tax_id_pl="2", **same),
    )
    assert world.clusters() == sets("a", "b")


def test_a_record_that_could_go_to_two_companies_goes_to_neither(world: World):
    same = {"legal_name": "Żółw S.A.", **ADDRESS}
    world.conform(
        record("crm", "a", tax_id_pl="1", **same),
        record("erp", "b", tax_id_pl="2", **same),
        record("erp", "c", **same),
    )
    assert world.clusters() == sets("a", "b", "c")


def test_a_cut_name_that_begins_two_full_names_goes_to_neither(world: World):
    full = "Przedsiębiorstwo Produkcyjne Łączność Sp"
    world.conform(
        record("crm", "a", legal_name=f"{full}. z o.o.", **ADDRESS),
        record("crm", "b", legal_name=f"{full}. z o.o. Sp. k.", **ADDRESS),
        record("erp", "c", legal_name=full, **ADDRESS),
    )
    assert world.clusters() == sets("a", "b", "c")


def test_a_bridge_between_two_contradicting_companies_joins_none_of_them(world: World):
    here, there = {"postal_code": "1", "street": "Polna 1"}, {"postal_code": "2", "street": "Leśna 2"}
    world.conform(
        record("crm", "a", legal_name="Bóbr S.A.", tax_id_pl="1", **here),
        record("crm", "b", legal_name="Bóbr S.A.", krs="3", **here),
        record("erp", "c", legal_name="Bóbr S.A.", krs="3", **there),
        record("erp", "d", legal_name="Bóbr S.A.", tax_id_pl="2", **there),
    )
    assert world.clusters() == sets("a", "bc", "d")


def test_a_contradiction_at_one_address_does_not_undo_a_match_at_another(world: World):
    here, there = {"postal_code": "1", "street": "Polna 1"}, {"postal_code": "2", "street": "Leśna 2"}
    world.conform(
        record("crm", "a", legal_name="Bóbr S.A.", tax_id_pl="1", **here),
        record("court", "b", legal_name="Bóbr S.A.", tax_id_pl="1", **there),
        record("erp", "c", legal_name="Bóbr S.A.", **here),
        record("erp", "d", legal_name="Bóbr S.A.", tax_id_pl="2", **there),
    )
    assert world.clusters() == sets("abc", "d")


def test_a_stale_address_is_matched_through_any_record_of_the_company(world: World):
    world.conform(
        record("crm", "a", legal_name="Bóbr S.A.", tax_id_pl="1", postal_code="1", street="Nowa 1"),
        record("court", "b", legal_name="BÓBR SPÓŁKA AKCYJNA", tax_id_pl="1", postal_code="2", street="Stara 2"),
        record("erp", "c", legal_name="BOBR SA", postal_code="2", street="ul. Stara 2"),
    )
    assert world.clusters() == sets("abc")


def test_an_identifier_claimed_by_two_companies_is_reported_and_given_to_none(world: World):
    """Same REGON, different NIP, equally trusted records: the NIP is more authoritative and keeps them apart."""
    report = world.conform(
        record("crm", "a", tax_id_pl="1", regon="9"),
        record("court", "b", tax_id_pl="1", krs="5"),
        record("crm", "c", tax_id_pl="2", regon="9"),
        record("erp", "d", regon="9"),
    )
    assert world.clusters() == sets("ab", "c", "d")
    assert [world.golden(key, "regon") for key in "acd"] == [(None,), (None,), ("9",)]
    assert report.entities[0].conflicts == 1
    found = world.connection.execute(
        "select identifier, reason, records from ops.identity_conflict where ended_publish_id is null"
    ).fetchall()
    assert found == [("regon", "ambiguous", ["crm|account|a", "crm|account|c", "erp|partner|d"])]
    world.conform(record("crm", "c", tax_id_pl="2", regon="8"))
    assert world.clusters() == sets("abd", "c")
    open_now = "select count(*) from ops.identity_conflict where ended_publish_id is null"
    assert world.connection.execute(open_now).fetchone() == (0,)


def test_an_ambiguous_identifier_belongs_to_the_company_that_the_most_trusted_system_names(world: World):
    report = world.conform(
        record("court", "a", tax_id_pl="1", regon="9"),
        record("crm", "c", tax_id_pl="2", regon="9"),
        record("erp", "d", regon="9"),
    )
    assert world.clusters() == sets("ad", "c")
    assert [world.golden(key, "tax_id_pl", "regon") for key in "ac"] == [("1", "9"), ("2", None)]
    assert report.entities[0].conflicts == 1


def test_two_values_below_one_more_authoritative_identifier_stay_together_and_are_reported(world: World):
    world.conform(
        record("crm", "a", tax_id_pl="1", regon="8"),
        record("erp", "b", tax_id_pl="1", regon="9"),
        record("court", "c", regon="9"),
    )
    assert world.clusters() == sets("abc")
    assert world.connection.execute("select identifier, reason from ops.identity_conflict").fetchall() == [
        ("regon", "several_values")
    ]
